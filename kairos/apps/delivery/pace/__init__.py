"""How fast a channel goes: who may call its provider now, and who waits."""
