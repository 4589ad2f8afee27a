"""What others have in queues and topics of their own, carried into `events.<source>` by the access layer."""
