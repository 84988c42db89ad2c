"""A member of the oracle: rounds, statements and certificates under one's own key."""
