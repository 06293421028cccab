"""What stands out in the traffic, since when, for whom and why. Pure: numbers in, findings out, nothing is read."""
