"""Measurements: ratios against peers that run in the same minutes on the same machine. `make bench` runs them."""
