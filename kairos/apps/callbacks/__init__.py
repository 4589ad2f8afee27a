"""What comes back over HTTP: reports of providers, and people who leave."""
