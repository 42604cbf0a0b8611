"""Preview: what rules would make of an account's whole history, beside what is on record."""
