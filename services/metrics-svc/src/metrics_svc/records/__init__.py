"""Records: what sources send beside activities, each once, held back while its account is unknown."""
