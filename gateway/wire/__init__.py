"""Sans-io dialects of our clients: bytes → requests, deltas → bytes, one package a dialect. No I/O, no clock."""
