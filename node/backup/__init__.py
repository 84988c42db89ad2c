"""Backups of a node: consistent while it runs, encrypted, verified; and restoring."""
