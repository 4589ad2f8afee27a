"""Business alarms: decisions and receipts become counts, which are held against their own past. Pure."""
