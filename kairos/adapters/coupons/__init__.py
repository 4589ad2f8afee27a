"""Where the codes of coupons are kept, and who holds which: Redis for a live job, a file of SQLite for one machine."""
