"""The seal: who asks clouds, whether the gateway itself could, and whether servers at home talk to somebody else."""

import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway.app.egress.clouds import clouds_of
from gateway.app.egress.probe import FILE_NAME, Probed, last_probe
from gateway.cli.doctor.finding import Finding, Patient, note, ok, problem
from gateway.core.labels import Zone
from gateway.egress.messages import Broken, Hello, Kind, unpack
from gateway.settings import Settings
from gateway.settings.servers import OpenAITargetConfig
from gateway.setup.connections import command_of, outside_of, server_at

_SECONDS = 3.0
_FRESH = 1800.0  # seconds: the gateway tries every ten minutes
_HOW = "docs/seal.md says which files of deploy/ hold it: IPAddressDeny=any for its unit, or nftables-egress.conf."


def seal(patient: Patient) -> Iterator[Finding]:
    """Yield who asks clouds, and whether the kernel keeps the gateway's own process from it."""
    settings = patient.settings
    if settings is None:
        return
    if not any(True for _ in clouds_of(settings)):
        yield ok("no cloud target, so nothing has a key or a way out")
        return
    match settings.egress.process:
        case "none":
            yield note(
                "The gateway's own process has the clouds' keys and the way out (egress.process is none).",
                "Take 'none' out of aduana.yaml: a process of its own then has them.",
            )
        case "child":
            yield ok("clouds are asked by a process of its own, which alone has their keys")
            yield note(
                "It runs as the gateway's user, so the kernel can't tell the two apart.",
                "For a wall that holds whatever happens to the gateway: docs/seal.md.",
            )
        case "unit":
            yield from _unit(settings)
            yield from _probe(patient)


def relays(patient: Patient) -> Iterator[Finding]:
    """Yield which servers of this machine, called local, have connections to public addresses open just now."""
    if patient.running:
        yield from _of_the_gateway(patient.running)
    for name, target in patient.settings.targets.items() if patient.settings is not None else ():
        if not isinstance(target, OpenAITargetConfig) or target.zone is not Zone.LOCAL:
            continue
        for base_url in target.addresses:
            yield from _relay(name, base_url)


def _relay(name: str, base_url: str) -> Iterator[Finding]:
    """Yield whether a target's server, where it is one of this machine, has connections to public addresses."""
    url = urlsplit(base_url)
    if not _is_here(url.hostname or ""):
        return
    pid = server_at(url.port or (443 if url.scheme == "https" else 80))
    if pid is None:
        yield ok(f"{name}: the own connections of its server at {url.netloc} can't be seen from here")
        return
    found = {f"{one.name} ({one.pid}) to {one.address}:{one.port}" for one in outside_of(pid)}
    if found:
        yield note(
            f"{name}: its server is connected to the internet just now: {', '.join(sorted(found))}.",
            "Is it loading a model, or does it pass requests on? A server at home needs no such connection.",
        )
    else:
        yield ok(f"{name}: its server (process {pid}) has no connection to the internet just now")


def _of_the_gateway(pid: int) -> Iterator[Finding]:
    """Yield what the gateway's own processes are connected to, but for the one that asks clouds."""
    found = {
        f"{one.name} ({one.pid}) to {one.address}:{one.port}"
        for one in outside_of(pid)
        if b"gateway.egress" not in command_of(one.pid)
    }
    if found:
        yield note(
            f"The gateway's own processes are connected to the internet just now: {', '.join(sorted(found))}.",
            "A provider of tokens, a collector of traces, a host that files come from, a server that it started? "
            "Clouds need none but the way out.",
        )
    else:
        yield ok("the gateway's own processes have no connection to the internet, but for the way out")


def _is_here(host: str) -> bool:
    try:
        found = {str(one[4][0]) for one in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(address.startswith("127.") or address == "::1" for address in found)


def _unit(settings: Settings) -> Iterator[Finding]:
    path = str(settings.egress.socket)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_SECONDS)
            connection.connect(path)
            _hello(connection)
    except PermissionError:
        yield note(f"{path} is not for you to open, so it was not tried.", "Run the doctor as root, or as its user.")
    except (OSError, Broken) as error:
        yield problem(f"Nobody answers at {path}: {error or 'it speaks otherwise'}.", "Start aduana-egress.service.")
    else:
        yield ok(f"the way out answers at {path}")


def _hello(connection: socket.socket) -> None:
    head = connection.recv(5, socket.MSG_WAITALL)
    if len(head) < 5 or head[4] != Kind.HELLO:
        raise Broken
    unpack(connection.recv(int.from_bytes(head[:4], "little"), socket.MSG_WAITALL), Hello)


def _probe(patient: Patient) -> Iterator[Finding]:
    """Yield what the gateway itself found when it tried to connect: only its own process is held."""
    assert patient.settings is not None
    found = last_probe(patient.settings.state_dir) if patient.own else None
    if found is None or time.time() - found.at > _FRESH or (patient.running or found.pid) != found.pid:
        yield note(
            "The gateway has not tried lately whether it could reach the internet by itself.",
            f"It tries while it runs, and writes {FILE_NAME} into its state directory.",
        )
        return
    yield from _told(found)


def _told(found: Probed) -> Iterator[Finding]:
    tried = f"process {found.pid} tried {', '.join(one.address for one in found.attempts)}"
    reached = [one.address for one in found.attempts if one.outcome == "open"]
    silent = [one.address for one in found.attempts if one.outcome == "unanswered"]
    if reached:
        yield problem(f"The gateway's own process can reach {', '.join(reached)}: the seal does not hold.", _HOW)
    elif silent:
        yield note(
            f"Nothing refused the gateway's own process ({tried}); nobody answered at {', '.join(silent)}.", _HOW
        )
    elif any(one.outcome == "refused" for one in found.attempts):
        yield ok(f"the gateway's own process can't reach the internet: {tried}, and was refused")
    else:
        yield note(
            f"No route led from the gateway's own process to the internet ({tried}).",
            "Where its network has none on purpose, that is the wall. Else the machine was off line, which says "
            "nothing of the seal: look again later.",
        )
