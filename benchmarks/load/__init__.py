"""What an environment does under load: uploads, run requests and grader calls at once, against the deployed functions."""
