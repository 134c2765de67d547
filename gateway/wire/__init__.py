"""Sans-io dialects: bytes → requests, deltas → bytes, and the reader of other servers' answers. No I/O, no clock."""
