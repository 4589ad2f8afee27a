"""What the job wrote, read back: from Kafka or from the folder of a run."""
