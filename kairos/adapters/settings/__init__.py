"""Configuration: how a file of it is read (`file`), and each process's sections of it."""
