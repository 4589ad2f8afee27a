"""The console: pages over the use cases that the commands and the API call, with the same rights."""
