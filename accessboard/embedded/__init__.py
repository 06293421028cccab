"""The embedded TimescaleDB: a Node process that serves the WebAssembly build to several clients."""
