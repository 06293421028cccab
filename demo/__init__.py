"""Believable traffic for trying the product out; nothing of the product itself depends on it."""
