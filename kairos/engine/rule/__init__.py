"""Rules: from the files of a rule folder to what the engine runs."""
