"""What a person says of an account's health for a while, beside what was computed."""
