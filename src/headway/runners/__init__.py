"""What runs the work: one module an engine, one contract test for all."""
