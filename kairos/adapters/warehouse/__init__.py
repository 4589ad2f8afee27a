"""Everything that was decided, sent and done, kept as Parquet and asked in SQL."""
