"""The dashboard: pages and the read API over one set of figures."""
