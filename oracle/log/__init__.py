"""The transparency log over batch reports: tree, tiles and checkpoints. Pure."""
