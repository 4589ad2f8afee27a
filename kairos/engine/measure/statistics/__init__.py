"""Statistics: samples, intervals, tests; nothing here knows what was measured."""
