"""The back-test: the engine and the simulated exchange, run against each other over a tape."""
