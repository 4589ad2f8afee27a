"""Files of events, and the folder that a run on files writes."""
