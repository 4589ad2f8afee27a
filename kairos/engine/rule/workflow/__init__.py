"""Who has to agree before something runs: the workflow, its kinds of steps, and what is asked of whom."""
