"""What runs the work: one module an engine, one contract test for all."""

from headway.runners.local import LocalRunner

__all__ = ["LocalRunner"]
