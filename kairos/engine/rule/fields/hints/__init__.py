"""What people probably meant: words, keys and values of other tools, for the hints of messages."""
