"""Commands about the life of activities, and who may change it."""
