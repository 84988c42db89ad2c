"""What keeps a member under watch: logs, metrics, findings of a check."""
