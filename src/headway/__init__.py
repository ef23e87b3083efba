"""Live progress of long-running Python work."""
