"""What commands are given: rule folders, files of events, times, an author."""
