"""What holds for all activities: quiet hours, frequency caps, lists."""
