"""`bellwether bench`: runs the benchmarks of the clone's bench/ folder."""
