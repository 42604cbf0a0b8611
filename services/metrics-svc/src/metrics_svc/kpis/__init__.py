"""KPIs and SLAs: what we agreed with the client to measure, and how it came out."""
