"""The delivery worker: takes deliveries of one channel, calls its provider, writes down what became of each.

`sending` is the life of one delivery, `verdict` what may be done with it at a moment, `worker` all of them together.
"""
