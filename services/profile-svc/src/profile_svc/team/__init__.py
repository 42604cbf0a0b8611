"""The account team: who on our side plays which role for an account (P1)."""
