"""Account health: score, band, confidence, history, and when to look again."""
