"""Sources: when each system was last heard from, how much it tells, and that it fell silent."""
