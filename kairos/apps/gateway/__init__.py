"""The HTTP gateway: `POST /v1/events`, CloudEvents, and the calls of Segment's SDKs."""
