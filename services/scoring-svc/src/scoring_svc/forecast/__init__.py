"""Time: when a score, a band or a rule will change although nothing happens."""
