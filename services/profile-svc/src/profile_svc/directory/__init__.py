"""The directory: accounts as readers see them, with team and health; it changes nothing (P1)."""
