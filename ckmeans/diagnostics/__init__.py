"""What a person asks about a clustering: the minima there are, and how many clusters."""
