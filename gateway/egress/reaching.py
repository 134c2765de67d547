"""One connection that is tried: opened and closed at once, without a byte, or why not."""

import asyncio
import errno
import socket

import msgspec

_SECONDS = 3.0
_REFUSED = frozenset({errno.EPERM, errno.EACCES, errno.EHOSTUNREACH})
_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})  # as on a machine that is off line


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One connection that was tried.

    `outcome`: `refused` by the kernel, `no_route` from here, `unanswered`, `open`, or `unknown` name.
    """

    address: str
    outcome: str


async def attempt(host: str, port: int) -> Attempt:
    """Try to connect to an address, and return what became of it."""
    address = f"{host}:{port}"
    try:
        async with asyncio.timeout(_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except socket.gaierror:
        return Attempt(address=address, outcome="unknown")
    except TimeoutError:
        return Attempt(address=address, outcome="unanswered")
    except OSError as error:
        if error.errno in _NO_ROUTE:
            return Attempt(address=address, outcome="no_route")
        return Attempt(address=address, outcome="refused" if error.errno in _REFUSED else "unanswered")
    writer.transport.abort()
    return Attempt(address=address, outcome="open")
