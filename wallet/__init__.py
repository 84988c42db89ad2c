"""The key holder's side: keys, instructions and their two signatures.

Rules: a private key never leaves this package; an instruction is shown in words
before it is signed; the person who initiates is never the one who approves.
"""
