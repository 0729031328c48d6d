"""Who may do what, and the jurisdiction's policy file."""
