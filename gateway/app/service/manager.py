"""What systemd hands over and is told: open sockets, readiness, a status line, and a sign of life from the event loop.

Protocols: sd_notify(3), sd_listen_fds(3). Elsewhere there are none of their variables, and nothing happens.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, MutableMapping, Sequence
from functools import partial
from typing import Any

from gateway.core.errors import ConfigurationError

_FIRST_DESCRIPTOR = 3
_STATUS_SECONDS = 5.0
_LONGEST_STATUS = 300  # characters
_THIS_MACHINE = frozenset({"127.0.0.1", "::1"})
_IP = (socket.AF_INET, socket.AF_INET6)


class ServiceManager:
    """The service manager that started this process, as far as its variables tell of one."""

    def __init__(
        self, address: str = "", watchdog_seconds: float | None = None, *, say: Callable[[str], None] | None = None
    ) -> None:
        """Send nothing yet.

        Args:
            address: Path of its socket, or `@name` of an abstract one. Empty: nobody listens.
            watchdog_seconds: It ends this process where it hears nothing for so long. None: it does not watch.
            say: Tells it something in place of the socket.
        """
        self.watchdog_seconds = watchdog_seconds
        self._say = say or (partial(_datagram, address) if address else None)
        self._status = ""

    def ready(self) -> None:
        """Tell that the gateway listens."""
        self._send("READY=1")

    def stopping(self) -> None:
        """Tell that the gateway stops, and lets running answers finish."""
        self._send("STOPPING=1\nSTATUS=Stopping: running answers may end")

    async def keep_told(self, status: Callable[[], str]) -> None:
        """Give signs of life and the status line while the event loop runs. Runs until cancelled."""
        watchdog = self.watchdog_seconds
        pause = _STATUS_SECONDS if watchdog is None else min(_STATUS_SECONDS, watchdog / 3)
        while self._say is not None:
            if watchdog is not None:
                self._send("WATCHDOG=1")
            line = status()[:_LONGEST_STATUS]
            if line != self._status:
                self._send(f"STATUS={line}")
                self._status = line
            await asyncio.sleep(pause)
        await asyncio.Event().wait()

    def _send(self, text: str) -> None:
        if self._say is not None:
            self._say(text)


def _datagram(address: str, text: str) -> None:
    # Whoever does not listen any more is no reason to stop answering.
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
        to.setblocking(False)
        to.sendto(text.encode(), f"\0{address[1:]}" if address.startswith("@") else address)


def service_manager(environ: MutableMapping[str, str] = os.environ) -> ServiceManager:
    """Return the service manager of this process, and take its variables away: no other process shall speak for it."""
    address = environ.pop("NOTIFY_SOCKET", "")
    microseconds, process = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", "")
    watched = microseconds.isdigit() and int(microseconds) > 0 and process in ("", str(os.getpid()))
    return ServiceManager(address, int(microseconds) / 1e6 if watched else None)


def handed_sockets(environ: MutableMapping[str, str] = os.environ) -> tuple[socket.socket, ...]:
    """Return the sockets that systemd has opened for this process (`aduana.socket`), and take its variables away.

    Raises:
        ConfigurationError: One of them can't be listened on.
    """
    count, process = environ.pop("LISTEN_FDS", ""), environ.pop("LISTEN_PID", "")
    environ.pop("LISTEN_FDNAMES", None)
    if not count.isdigit() or process != str(os.getpid()):
        return ()
    return tuple(_listening(number) for number in range(_FIRST_DESCRIPTOR, _FIRST_DESCRIPTOR + int(count)))


def _listening(descriptor: int) -> socket.socket:
    what = "is not one for TCP that listens. Write ListenStream=127.0.0.1:8484 in the .socket unit, and no Accept="
    try:
        opened = socket.socket(fileno=descriptor)
        opened.set_inheritable(False)
        tcp = opened.family in _IP and opened.type == socket.SOCK_STREAM
        if tcp and opened.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            opened.setblocking(False)
            return opened
    except OSError as error:
        what = f"can't be used: {error.strerror}. Look at the .socket unit"
    raise ConfigurationError((f"The socket that systemd hands over (number {descriptor}) {what}.",))


def where_it_listens(sockets: Sequence[socket.socket], allowed_hosts: Sequence[str]) -> dict[str, Any]:
    """Return the settings of `server:` that follow from open sockets; nothing where there are none.

    INVARIANT: whether others can reach the gateway is told by where it really listens, so one such socket is enough.
    """
    if not sockets:
        return {}
    addresses = [one.getsockname()[:2] for one in sockets]
    hosts = list(dict.fromkeys(host for host, _ in addresses))
    reachable = next((host for host in hosts if host not in _THIS_MACHINE), hosts[0])
    port = addresses[0][1]
    return {
        "host": reachable,
        "port": port,
        "ollama_port": next((further for _, further in addresses if further != port), None),
        "allowed_hosts": (*allowed_hosts, *(host for host in hosts if host != reachable)),
    }
