"""`python -m gateway.egress FD [FD]`: the egress process on an inherited socket. Started by the gateway only.

The second descriptor is a file with the variables that keys stand in.
"""

import sys

import gateway.lean_structlog  # noqa: F401 - before anybody else imports structlog
from gateway.egress.process.keeper import keep

if __name__ == "__main__":
    sys.exit(keep(*map(int, sys.argv[1:])))
