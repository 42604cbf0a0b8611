"""A tiny service for the tests of the HTTP part: things, which mean nothing."""
