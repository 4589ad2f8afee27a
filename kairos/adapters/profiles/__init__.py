"""What is known of users: profiles, lists, identities."""
