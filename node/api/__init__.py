"""The node's HTTP interface: routes by subject, thin; problems as RFC 9457."""
