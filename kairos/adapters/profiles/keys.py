"""Under which keys of Redis profiles stand, and what stands beside them."""

PREFIX = "profile:"
CROWD, LIST = "crowd:", "list:"
REFUSALS = "consents:refused"
"""A sorted set: who says no to some topic, by when the last of these was said (epoch ms)."""
FILLED = "profiles:filled"
"""Key beside the profiles. Where it was and is no more, the store has been emptied: lists and opt-outs are gone."""
