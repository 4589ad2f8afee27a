"""Checks of what messages say."""
