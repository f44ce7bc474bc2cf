"""The engine: the one door, and the trader's side of every event."""
