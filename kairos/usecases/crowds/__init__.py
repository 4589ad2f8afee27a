"""Crowds: building their snapshots, putting them before the job, looking at them. One file a question."""
