"""Contacts: which external ids are the same person, as stakeholder-svc says."""
