"""Accounts: the few facts this service keeps of profile-svc's accounts, and how a reference finds one."""
