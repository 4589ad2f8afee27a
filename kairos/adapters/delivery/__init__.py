"""What delivery workers stand on: the mailbox of deliveries, the ledger, the lists of who left."""
