"""Trail: what activities and evidence said before they were replaced, and why they were."""
