"""The audit: was everything that was decided done, once, and within its limits? Judged from what was written down.

It asks neither the engine nor the workers: caps, budgets and quiet hours are counted anew, in the most obvious way.
"""
