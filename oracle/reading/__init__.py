"""Signed readings: profile, suites, carriers, numbered checks; no input or output."""
