"""Questions about a period, answered from what read-only tools find; every sentence is checked."""
