"""`python -m gateway.engine FD`: a worker on an inherited socket. Started by the gateway only."""

import socket
import sys

from gateway.engine.worker.main import serve

if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        code = serve(connection)
    sys.exit(code)
