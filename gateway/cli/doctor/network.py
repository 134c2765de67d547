"""The running gateway, servers at home, and, where that is asked for, clouds: who answers."""

import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from gateway.cli.doctor.finding import Finding, Patient, note, ok, problem
from gateway.core.errors import ConfigurationError
from gateway.core.labels import Zone
from gateway.local.http.address import is_own_address
from gateway.local.http.connections import trusting
from gateway.settings import Settings, read_secret
from gateway.settings.servers import FOR_PICTURES, OpenAITargetConfig, ServerTargetConfig

_SECONDS = 5.0
_MOST = 1 << 20


def gateway(patient: Patient) -> Iterator[Finding]:
    """Yield whether a gateway runs with this configuration, and how it says that it is."""
    settings = patient.settings
    if settings is None:
        return
    if patient.running is None:
        yield note("No gateway runs with this state directory.", "Start one: aduana serve")
        return
    who = f"process {patient.running}" if patient.running else "a process"
    address = settings.server.url
    try:
        status, body = _get(f"{address}/readyz", tls=_any_name())
    except (OSError, http.client.HTTPException) as error:
        yield problem(f"A gateway runs ({who}), and does not answer at {address}: {error}.",
                      "Was it started with another port or configuration? Its log says.")  # fmt: skip
        return
    said = _json(body)
    ready = isinstance(said, dict) and said.get("ready") is True
    yield (
        ok(f"{who} answers at {address}, and is ready")
        if ready
        else problem(f"{who} answers at {address} with {status}: it is not ready.")
    )
    if isinstance(said, dict):
        yield from _details(said)


def _details(said: dict[str, Any]) -> Iterator[Finding]:
    targets = said.get("targets")
    for name, state in (targets if isinstance(targets, dict) else {}).items():
        fine = str(state).startswith(("ready", "load"))
        yield ok(f"{name}: {state}") if fine else problem(f"{name}: {state}")
    if isinstance(workers := said.get("workers"), str):
        how = workers.partition(";")[0]  # behind it stands which of them says it
        yield problem(f"workers: {how}") if "," in how else ok(f"workers: {how}")
    for name in ("ledger", "names"):
        if said.get(name, "ok") != "ok":
            yield problem(f"{name}: {said[name]}")
    for name in ("policy_problem", "keys_problem", "certificate_problem", "state_problem", "background"):
        if name in said:
            yield problem(str(said[name]))


def servers(patient: Patient) -> Iterator[Finding]:
    """Yield which servers at home answer when they are asked for their models."""
    for name, target in _targets(patient.settings, Zone.LOCAL):
        for address in target.addresses:
            yield from _server(name, target, address)


def _server(name: str, target: OpenAITargetConfig, base_url: str) -> Iterator[Finding]:
    url = urlsplit(base_url)
    try:
        addresses = {str(found[4][0]) for found in socket.getaddrinfo(url.hostname or "", None)}
    except (OSError, UnicodeError):
        yield problem(f"{name}: the name {url.hostname} is not known here.", "Is that machine switched on?")
        return
    if not target.trusted_host and not all(map(is_own_address, addresses)):
        return  # told with the configuration; nobody there is asked
    try:
        status, _ = _get(f"{base_url.rstrip('/')}/models", target)
    except (OSError, http.client.HTTPException, ConfigurationError) as error:
        yield problem(f"{name}: nobody answers at {base_url}: {error}.", "Start that server.")
        return
    if status in (401, 403):
        yield problem(f"{name}: {base_url} wants another key.", "Correct its 'api_key'.")
    elif status == 200 or target.api in FOR_PICTURES:
        yield ok(f"{name}: {base_url} answers")
    else:
        text = f"{name}: {base_url} answers with {status} when it is asked for its models."
        todo = "Is 'base_url' right? Most end in /v1."
        yield problem(text, todo) if status >= 500 else note(text, todo)


def clouds(patient: Patient) -> Iterator[Finding]:
    """Yield which clouds can be reached; where that was not asked for, that it was not tried."""
    found = list(_targets(patient.settings, Zone.CLOUD))
    if found and not patient.online:
        yield ok(f"{', '.join(name for name, _ in found)}: not tried; --online connects to them")
        return
    for name, target in found:
        url = urlsplit(target.base_url)
        by = urlsplit(target.proxy) if target.proxy else url
        port = by.port or (443 if by.scheme == "https" else 80)
        begun = time.monotonic()
        try:
            with socket.create_connection((by.hostname or "", port), timeout=_SECONDS) as plain:
                if by is url and url.scheme == "https":
                    with trusting(target.ca_file).wrap_socket(plain, server_hostname=url.hostname):
                        pass
        except OSError as error:
            todo = "Is there a way out: network, firewall, proxy, or IPAddressDeny= of the service?"
            yield problem(f"{name}: {by.hostname}:{port} can't be reached: {error}.", todo)
            continue
        yield ok(f"{name}: {by.hostname}:{port} answers after {1000 * (time.monotonic() - begun):.0f} ms")


def _targets(settings: Settings | None, zone: Zone) -> Iterator[tuple[str, Any]]:
    for name, target in settings.targets.items() if settings is not None else ():
        where = target.zone if isinstance(target, OpenAITargetConfig) else Zone.CLOUD
        if isinstance(target, ServerTargetConfig) and where == zone:
            yield name, target


def _any_name() -> ssl.SSLContext:
    """Return a context for the gateway itself: its certificate has another name than the address of this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # it is asked for nothing secret, and no key is sent
    return context


def _get(
    address: str, target: OpenAITargetConfig | None = None, tls: ssl.SSLContext | None = None
) -> tuple[int, bytes]:
    """Ask one address, by no proxy and without following anything, and return status and body.

    Raises:
        OSError: Nobody answers in time.
        HTTPException: What answers does not speak HTTP.
        ConfigurationError: The target's key can't be read.
    """
    url = urlsplit(address)
    headers = {"Connection": "close"}
    if target is not None and target.api_key is not None:
        headers["Authorization"] = f"Bearer {read_secret(target.api_key)}"
    host = url.hostname or ""
    connection = (
        http.client.HTTPSConnection(
            host, url.port, timeout=_SECONDS, context=tls or trusting(target.ca_file if target is not None else None)
        )
        if url.scheme == "https"
        else http.client.HTTPConnection(host, url.port, timeout=_SECONDS)
    )
    try:
        connection.request("GET", url.path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(_MOST)
    finally:
        connection.close()


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None
