"""A network of validators, each run by another organisation."""
