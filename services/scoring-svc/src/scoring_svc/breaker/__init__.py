"""The storm breaker: when very many alerts open at once, or a source fell silent, people are asked first."""
