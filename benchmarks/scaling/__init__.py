"""What `make bench-scale` measures (benchmarks/scale.py)."""
