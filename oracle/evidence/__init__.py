"""Proof packages of statements, and the verifier that needs nothing but a file."""
