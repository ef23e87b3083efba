"""The task and its rules: pure values. No I/O, no threads, no clock of its own; time is passed in."""
