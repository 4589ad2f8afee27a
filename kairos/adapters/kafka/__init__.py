"""Kafka: clients, topics, and records that must not be lost."""
