"""Inbound: how source systems deliver in their own words, and how they prove who they are."""
