"""The durable inbox: verify, store, commit, and only then acknowledge."""
