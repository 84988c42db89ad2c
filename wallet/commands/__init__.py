"""Commands of ``carbon-wallet``, one module a subject."""
