"""What is wrong, and what is probably not meant: each module one subject, each check a function over drafts."""
