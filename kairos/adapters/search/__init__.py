"""Finding a person by whatever one has of her, in milliseconds, however many there are."""
