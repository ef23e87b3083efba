"""`headway`: run commands as tasks, watch them, serve them, and find out what is wrong. docs/reference/cli.md."""

from headway.cli.command import main

__all__ = ["main"]
