"""What the inner rooms ask of the outside: protocols, with their timing and ordering guarantees."""
