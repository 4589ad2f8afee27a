"""The process that follows Kafka into the warehouse."""
