"""What accounts looked like at past dates, by the ledger as it then stood."""
