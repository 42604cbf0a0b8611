"""The smallest service that uses all of the kit."""
