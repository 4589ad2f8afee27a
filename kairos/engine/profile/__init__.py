"""What a user's profile says: addresses, consent, zone, and which values its fields may hold."""
