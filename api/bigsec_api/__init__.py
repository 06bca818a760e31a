"""HTTP API of bigsec."""
