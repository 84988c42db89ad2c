"""A ledger in open files, and its way onto a fresh chain of another engine."""
