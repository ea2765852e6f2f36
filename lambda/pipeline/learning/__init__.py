"""Group-relative policy optimisation in pure Python, on policies small enough to write down.

The rehearsal of a reward uses it to see what a policy would learn; the local Bedrock stand-in trains with it.
"""
