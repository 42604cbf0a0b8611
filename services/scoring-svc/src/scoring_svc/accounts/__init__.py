"""The few facts about an account that scoring keeps from profile-svc's events."""
