"""The way out: one small process that alone holds the clouds' keys and opens connections to them.

The gateway asks it over Unix sockets, one request at a time on each, with a clearance that is signed. `process/` runs
in that process, the other files in the gateway. Must not decide where a request may go, and knows no client.
"""
