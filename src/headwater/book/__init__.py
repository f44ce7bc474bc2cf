"""Order books: a window of ticks around the touch, an overflow for far levels, and what is derived from them."""
