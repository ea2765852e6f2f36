"""What a reviewer reads: facts about an environment, taken from its synthesised templates and never typed by hand."""
