"""What one can ask about users, and say of them: profiles, lists, scores, one person."""
