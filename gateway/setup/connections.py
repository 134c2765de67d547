"""Which TCP connections this machine has, and whose they are, as far as Linux's /proc lets whoever asks see it."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path

import msgspec

_ESTABLISHED, _LISTEN = "01", "0A"  # include/net/tcp_states.h
_TABLES = ("net/tcp", "net/tcp6")


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One TCP socket. `remote` is empty where it only listens."""

    local: str
    port: int
    remote: str
    remote_port: int
    inode: str
    listens: bool


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """A server's connection to somebody else: its process, the process's name, and where it goes."""

    pid: int
    name: str
    address: str
    port: int


def connections(proc: Path = Path("/proc")) -> Iterator[Connection]:
    """Yield the machine's sockets that listen or are connected. Nothing where there is no such table."""
    for table in _TABLES:
        try:
            lines = (proc / table).read_text(encoding="ascii").splitlines()[1:]
        except (OSError, UnicodeDecodeError):
            continue
        for line in lines:
            words = line.split()
            if len(words) > 9 and words[3] in (_ESTABLISHED, _LISTEN):
                local, port = _address(words[1])
                remote, remote_port = _address(words[2])
                listens = words[3] == _LISTEN
                yield Connection(
                    local=local,
                    port=port,
                    remote="" if listens else remote,
                    remote_port=remote_port,
                    inode=words[9],
                    listens=listens,
                )


def server_at(port: int, proc: Path = Path("/proc")) -> int | None:
    """Return the process that listens at a port of this machine; None: none does, or it can't be seen."""
    inodes = {one.inode for one in connections(proc) if one.listens and one.port == port}
    return next((pid for pid in _processes(proc) if inodes & sockets_of(pid, proc)), None) if inodes else None


def outside_of(pid: int, proc: Path = Path("/proc")) -> Iterator[Outside]:
    """Yield the connections to public addresses that a process and those that it started have open."""
    family = _family(proc, pid)
    owners = {inode: one for one in family for inode in sockets_of(one, proc)}
    for one in connections(proc):
        if not one.listens and one.inode in owners and _is_public(one.remote):
            owner = owners[one.inode]
            yield Outside(pid=owner, name=_name(proc, owner), address=one.remote, port=one.remote_port)


def command_of(pid: int, proc: Path = Path("/proc")) -> bytes:
    """Return the command line of a process, its words separated by zero bytes; empty: it is gone."""
    try:
        return (proc / str(pid) / "cmdline").read_bytes()
    except OSError:
        return b""


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.is_global


def _address(text: str) -> tuple[str, int]:
    """Return the address and port of a table's `0100007F:1F90`: words of four bytes, in the machine's order."""
    digits, _, port = text.partition(":")
    packed = b"".join(bytes.fromhex(digits[at : at + 8])[::-1] for at in range(0, len(digits), 8))
    return str(ipaddress.ip_address(packed)), int(port, 16)


def _processes(proc: Path) -> Iterator[int]:
    yield from (int(folder.name) for folder in proc.iterdir() if folder.name.isdigit())


def sockets_of(pid: int, proc: Path = Path("/proc")) -> frozenset[str]:
    """Return the inodes of a process's sockets; none where it is gone or somebody else's."""
    found: set[str] = set()
    try:
        for entry in (proc / str(pid) / "fd").iterdir():
            target = str(entry.readlink())
            if target.startswith("socket:["):
                found.add(target[8:-1])
    except OSError:
        pass
    return frozenset(found)


def _family(proc: Path, pid: int) -> set[int]:
    """Return a process and all that it started, directly or not."""
    parents: dict[int, int] = {}
    for one in _processes(proc):
        try:
            parents[one] = int((proc / str(one) / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
    family = {pid}
    grown = True
    while grown:
        more = {one for one, parent in parents.items() if parent in family} - family
        family |= more
        grown = bool(more)
    return family


def _name(proc: Path, pid: int) -> str:
    try:
        return (proc / str(pid) / "comm").read_text(errors="replace").strip()
    except OSError:
        return ""
