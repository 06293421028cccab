"""The conservation test: what was acknowledged is stored, once, whatever is killed, cut or frozen meanwhile."""
