"""The accounts that plans and plays belong to, as profile-svc publishes them: a projection."""
