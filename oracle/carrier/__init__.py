"""The carrier: signer, meter series, store and forward, uplink."""
