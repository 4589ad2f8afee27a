"""What one can ask of rules: are they right, what would they do, what does a change do; and publishing them."""
