"""Derivation: a tenant's rules, and the one place where changed activities become changed evidence."""
