"""What the functions, the stacks, the command and the tests must agree on: names, metrics, events, settings, run files.

Nothing here imports the AWS SDK; importing it costs a cold start almost nothing.
"""
