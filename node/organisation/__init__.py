"""Organisations come and go: ceremonies that institutions sign, step by step."""
