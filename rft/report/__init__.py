"""A run's report: one HTML file that holds everything, pictures included, and needs no network and no script."""
