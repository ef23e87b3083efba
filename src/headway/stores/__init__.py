"""Where tasks are kept: one module an engine, one contract test for all."""
