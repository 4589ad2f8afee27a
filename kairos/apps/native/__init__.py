"""Servers as native processes of this machine: started, checked over their own protocols, stopped, and told apart from
the remains of a crash."""
