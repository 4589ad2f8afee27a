"""Checks of what begins without an event, or goes on for long: journeys and schedules."""
