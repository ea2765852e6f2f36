"""Figures behind what the project says of its speed. Run with ``make bench``."""
