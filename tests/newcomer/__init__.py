"""A newcomer who types what the README and the docs say, word for word."""
