"""Who does what by when, in a plan or as a step of a play."""
