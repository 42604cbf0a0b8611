"""Unmatched: names that find no account, whose they may be, and what people decide about them and about activities."""
