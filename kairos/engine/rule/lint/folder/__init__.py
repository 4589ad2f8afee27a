"""The files beside the activities: a file of the rule folder, a file here."""
