"""The only place that knows the database: migrations, queries, connections."""
