"""Deriving health anew from the ledger, for a whole tenant."""
