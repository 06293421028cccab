"""The ingest server: from a request body or a log file to stored rows and a receipt."""
