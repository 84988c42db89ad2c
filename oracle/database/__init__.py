"""Databases: addresses, faults, durability, one writer, one history of tables."""
