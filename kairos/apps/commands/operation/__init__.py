"""Commands that run and look after processes and servers."""
