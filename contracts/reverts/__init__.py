"""What the contracts refuse, by subject; import it from ``contracts.errors``."""
