"""`bellwether demo`: a year of real orders and one client's story, replayed through the public APIs."""
