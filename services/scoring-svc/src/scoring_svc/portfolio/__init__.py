"""The portfolio: all accounts of a tenant, filtered, sorted and paged."""
