"""Small reusable constructs: how this project builds a key, a bucket, a network, a function, a queue."""
