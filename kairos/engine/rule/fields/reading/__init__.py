"""The reader of declared fields: nodes of YAML in, located values and findings out."""
