"""A bundle behind HTTP: bounded, batched, measured; answers on loopback unless told otherwise."""
