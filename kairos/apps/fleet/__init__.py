"""What runs of one release: the job and the processes around it, and how they become another release."""
