"""Commands about users: their profiles and lists."""
