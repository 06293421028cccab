"""Who may see and do what: sign-in, roles, tokens of programs, shared views, and the gate that every request passes."""
