"""The pure engine: no I/O, no clock, no randomness, no Flink. Time is an argument everywhere."""
