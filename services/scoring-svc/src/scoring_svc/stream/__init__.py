"""The live stream: what becomes of alerts, told to front ends as it happens."""
