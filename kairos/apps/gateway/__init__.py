"""The HTTP gateway. Each format has a file: `events.py` (JSON, JSON lines), `cloud_events.py`, `segment.py`."""
