"""The dashboards: what is drawn of an environment and of one run. `rft report` draws what is deployed from here, and nothing else."""
