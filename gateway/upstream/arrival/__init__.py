"""An answer's bytes where they arrive: handed over, and read, in that very call. Must not open a connection."""
