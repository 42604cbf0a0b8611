"""Client evidence: the catalogue of kinds, the record of every piece, and what people observe themselves."""
