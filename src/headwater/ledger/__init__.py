"""Orders, positions and money: exact, in decimals, by double entry."""
