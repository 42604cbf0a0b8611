"""The accounts that people belong to, as profile-svc publishes them: a projection."""
