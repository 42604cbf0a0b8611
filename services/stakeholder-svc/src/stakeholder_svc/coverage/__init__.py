"""Coverage of the decision roles that matter."""
