"""The engine driven over events that are all there: simulate, explain, preview, rehearse, seed."""
