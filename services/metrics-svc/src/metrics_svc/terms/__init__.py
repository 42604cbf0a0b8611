"""Terms: the versions of a tenant's rules, and the calendars they go by."""
