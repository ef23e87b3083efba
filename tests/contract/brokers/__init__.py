"""What the workers of the broker runners import: the same jobs, handed to each engine in its own way."""
