"""Where the snapshots of crowds stand before the job."""
