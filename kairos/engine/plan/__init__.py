"""The plan library: activities and journeys with parameters, from which those of a rule folder are made."""
