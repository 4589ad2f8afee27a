"""From located values to the rule model: short forms spelt out, defaults applied."""
