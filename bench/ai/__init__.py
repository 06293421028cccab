"""How well the AI page keeps its promise: the evidence holds the truth, and a false answer is caught."""
