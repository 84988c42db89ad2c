"""What keeps a node under watch: facts, alarms, health page, metrics, check."""
