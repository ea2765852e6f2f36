"""Data that ships with the repository, and the script that made it. Nothing here is needed when a function runs."""
