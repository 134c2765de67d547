"""The seal: who asks clouds, whether the gateway itself could, and whether servers at home talk to somebody else."""

import contextlib
import socket
import ssl
import time
from collections.abc import Generator, Iterator
from urllib.parse import urlsplit

from gateway.app.egress.clouds import clouds_of
from gateway.app.egress.probe import FILE_NAME, NOBODY, Probed, last_probe
from gateway.app.egress.running import secured
from gateway.cli.doctor.finding import Finding, Patient, note, ok, problem
from gateway.core.errors import ConfigurationError
from gateway.core.labels import Zone
from gateway.egress.messages import Broken, Hello, Kind, unpack
from gateway.settings import Settings
from gateway.settings.egress import EgressConfig
from gateway.settings.servers import OpenAITargetConfig
from gateway.setup.connections import command_of, outside_of, server_at

_SECONDS = 3.0
_SOON = 30 * 86_400.0
_FRESH = 1800.0  # seconds: the gateway tries every ten minutes
_HOW = (
    "docs/seal.md says which files of deploy/ hold it: IPAddressDeny=any for its unit, nftables-egress.conf, or in a "
    "cluster the network policies, where its network plug-in enforces them."
)


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
            reached = yield from _unit(settings)
            yield from _probe(patient, frozenset(reached))


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


def _unit(settings: Settings) -> Generator[Finding, None, tuple[str, ...]]:
    """Yield whether the way out answers, and return the clouds that it says it reaches."""
    egress = settings.egress
    place = str(egress.socket or egress.address)
    try:
        with _connected(egress) as connection:
            hello = _hello(connection)
            until = _until(connection)
    except PermissionError:
        yield note(f"{place} is not for you to open, so it was not tried.", "Run the doctor as root, or as its user.")
    except ConfigurationError as error:
        yield problem(error.problems[0], "docs/seal.md shows how certificates are made.")
    except ssl.SSLError as error:
        what = getattr(error, "verify_message", "") or error.reason or "no TLS"
        yield problem(f"{place} is not who it should be, or does not know us: {what}.", "docs/seal.md: certificates.")
    except (OSError, Broken) as error:
        start = "Start aduana-egress.service." if egress.socket is not None else "Start `aduana egress` there."
        yield problem(f"Nobody answers at {place}: {error or 'it speaks otherwise'}.", start)
    else:
        known = "" if egress.socket is not None else ", and both know each other's certificates"
        yield ok(f"the way out answers at {place}{known}")
        if until is not None and until - time.time() < _SOON:
            day = time.strftime("%Y-%m-%d", time.gmtime(until))
            yield note(f"The certificate of the way out expires on {day}.", "docs/seal.md shows how one is made.")
        return hello.reached
    return ()


def _until(connection: socket.socket) -> float | None:
    """Return when the certificate of the other side expires, in seconds since 1970; None: it needs none."""
    shown = connection.getpeercert() if isinstance(connection, ssl.SSLSocket) else None
    return ssl.cert_time_to_seconds(str(shown["notAfter"])) if shown else None


@contextlib.contextmanager
def _connected(egress: EgressConfig) -> Iterator[socket.socket]:
    """Connect to the way out, as the gateway does.

    Raises:
        ConfigurationError: Our certificate can't be used.
        OSError: It does not answer, or its certificate does not count.
    """
    if egress.socket is not None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_SECONDS)
            connection.connect(str(egress.socket))
            yield connection
        return
    host, port = egress.host_and_port
    context = secured(egress, host).context()
    with (
        socket.create_connection((host, port), timeout=_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        yield connection


def _hello(connection: socket.socket) -> Hello:
    head = _exactly(connection, 5)
    if head[4] != Kind.HELLO:
        raise Broken
    return unpack(_exactly(connection, int.from_bytes(head[:4], "little")), Hello)


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise Broken
        data += part
    return data


def _probe(patient: Patient, ways: frozenset[str]) -> Iterator[Finding]:
    """Yield what the gateway itself found when it tried to connect: only its own process is held."""
    assert patient.settings is not None
    found = last_probe(patient.settings.state_dir) if patient.own else None
    if found is None or time.time() - found.at > _FRESH or (patient.running or found.pid) != found.pid:
        yield note(
            "The gateway has not tried lately whether it could reach the internet by itself.",
            f"It tries while it runs, and writes {FILE_NAME} into its state directory.",
        )
        return
    yield from _told(found, ways)


def _told(found: Probed, ways: frozenset[str]) -> Iterator[Finding]:
    """Yield what the gateway's attempts mean. `ways`: what the way out could connect to meanwhile."""
    tried = f"process {found.pid} tried {', '.join(one.address for one in found.attempts)}"
    reached = [one.address for one in found.attempts if one.outcome == "open"]
    clouds = {one.address for one in found.attempts} - {f"{NOBODY[0]}:{NOBODY[1]}"}
    silent = [one.address for one in found.attempts if one.outcome == "unanswered"]
    if reached:
        yield problem(f"The gateway's own process can reach {', '.join(reached)}: the seal does not hold.", _HOW)
    elif any(one.outcome == "refused" for one in found.attempts) and not silent:
        yield ok(f"the gateway's own process can't reach the internet: {tried}, and was refused")
    elif clouds and clouds <= ways:
        yield ok(
            f"the gateway's own process can't reach the internet: {tried}, in vain, while the way out "
            f"reached {', '.join(sorted(clouds))}"
        )
    elif silent:
        yield note(
            f"Nothing refused the gateway's own process ({tried}); nobody answered at {', '.join(silent)}.", _HOW
        )
    else:
        yield note(
            f"No route led from the gateway's own process to the internet ({tried}).",
            "Where its network has none on purpose, that is the wall. Else the machine was off line, which says "
            "nothing of the seal: look again later.",
        )
