"""The ledger: every piece of evidence once, and the running balances it adds up to."""
