"""Promises broken on purpose in the processes of a stack, to see that the judge of a fault run sees it."""
