"""Threads and time, but no Flask, no sockets, no database: where tasks change."""
