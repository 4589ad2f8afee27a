"""How near, how loyal, how valuable: numbers about users that follow from their history. Pure statistics and SQL."""
