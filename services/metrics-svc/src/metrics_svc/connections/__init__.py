"""Connections: which source systems may deliver, under which name, and what proves that it is them."""
