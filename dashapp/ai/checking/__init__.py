"""Checks what a model says against the evidence: every number, endpoint, status, time and name. Pure."""
