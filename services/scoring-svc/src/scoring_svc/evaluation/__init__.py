"""Evaluation: the one path by which evidence, facts and time become scores, alerts and events."""
