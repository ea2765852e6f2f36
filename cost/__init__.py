"""What an environment costs while nobody uses it, and what the pipeline itself adds to a run: from the templates and a price table."""
