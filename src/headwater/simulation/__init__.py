"""The exchange model: what a venue does with orders. Queue, matching, latency, fees, funding, margin, faults."""
