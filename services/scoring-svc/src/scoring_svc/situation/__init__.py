"""What else is known of an account: its people who matter, its late actions, what it could still buy."""
