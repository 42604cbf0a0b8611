"""Apache Kafka and PostgreSQL from Python packages and Maven coordinates: how to prepare, start and ask them.

Knows no service. Nothing here runs in production, where the engines are managed clusters.
"""
