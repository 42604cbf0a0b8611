"""What people who run Bellwether ask of it: dead letters, lag, and whether all is well."""
