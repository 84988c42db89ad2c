"""What the node does and shows, between its tables and its routes.

Views read inside the caller's transaction and never commit; the desk of instructions
and the login have their own transactions.
"""
