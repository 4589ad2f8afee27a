"""The control database: what people decide while the job runs, and who did."""
