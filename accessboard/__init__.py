"""The command line, and everything in one go: embedded database, ingest server, dashboard."""

__version__ = "0.1.0"
