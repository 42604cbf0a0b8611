"""Activities: what a source system says happened with a client."""
