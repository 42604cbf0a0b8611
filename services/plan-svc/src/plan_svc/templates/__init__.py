"""The catalogue of plays."""
