"""Bring a new edition of a contract into office, step by step, by governance."""
