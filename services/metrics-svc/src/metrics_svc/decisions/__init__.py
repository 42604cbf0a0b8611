"""Decisions: a person's word on whose a name is, or where one activity belongs; it outlives what sources say."""
