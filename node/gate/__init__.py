"""The RPC gate: who may ask a chain what, whichever engine makes the blocks."""
