"""Texts that are filled in for each organisation."""
