"""Traffic with planted incidents whose truth is known, and what the search makes of it. Knows nothing of its limits."""
