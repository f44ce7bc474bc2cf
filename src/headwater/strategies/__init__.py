"""Strategies: what to want, seen from copies of the market. They know no clock, no file, no risk and no simulation."""
