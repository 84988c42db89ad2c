"""What must agree byte for byte with the chain; knows nothing of the rest."""
