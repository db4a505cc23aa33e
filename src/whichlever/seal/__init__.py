"""The sealed kit: wheels, weights, bundles and an installer for a machine with no network."""
