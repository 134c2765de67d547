"""Who listens on a port: whether it is the server that was started for it, and on this machine alone.

Between the choice of a free port and the server's own `bind` another program may take it, and would then get requests;
and a server may listen on all addresses, where the whole network reaches it past the gateway. Linux only: /proc/net/tcp
names listening sockets, /proc/N/fd whose they are (proc(5)).
"""

import ipaddress
import socket

from gateway.local.managed.launcher import descendants
from gateway.setup.connections import connections, sockets_of


def free_port(host: str) -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def listening_problem(port: int, launcher: int) -> str:
    """Say in sentences why what listens on `port` must not be asked. Empty: it may. Reads /proc: run it in a thread.

    `launcher`: the process that all processes of the server descend from.
    """
    sockets = {one.inode: one.local for one in connections() if one.listens and one.port == port}
    if not sockets:
        return ""  # not Linux, or a server inside another network namespace: nobody can say
    if not all(_is_loopback(address) for address in sockets.values()):
        return "It listens on addresses that others reach. Give it '{host}' as the address, as '--host', '{host}'."
    owned = {inode for pid in descendants(launcher) for inode in sockets_of(pid)}
    if not owned.issuperset(sockets):
        return (
            "What listens on its port is no process that it started: another program took the port, or a service such "
            "as Docker's runs it. Let Docker run it by itself, as 'kind: openai'."
        )
    return ""


def _is_loopback(address: str) -> bool:
    found = ipaddress.ip_address(address)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback
