"""The figures: each module turns a breakdown of the log into one typed result.

Pages and the read API take their numbers from here and from nowhere else.
"""
