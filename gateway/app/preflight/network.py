"""Ports to listen on, and addresses of servers: who would be reachable, who would be asked, and over what."""

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway.app.keys.stored_keys import stored_keys
from gateway.app.room_settings import LOOPBACK
from gateway.core.errors import ConfigurationError
from gateway.core.labels import Zone
from gateway.local.http.address import refuse_public_address
from gateway.settings import Settings
from gateway.settings.servers import CloudTargetConfig, OpenAITargetConfig, ServerTargetConfig

_WHAT_TO_DO = {
    errno.EADDRINUSE: "Another program listens there ('ss -ltnp' shows which): stop it, or choose another port.",
    errno.EACCES: "Ports below 1024 belong to the system: choose a higher one.",
    errno.EADDRNOTAVAIL: "This machine has no such address: write one of its own, or 127.0.0.1.",
}


def exposure(settings: Settings) -> Iterator[str]:
    """Explain why other machines could use the gateway without a key."""
    server = settings.server
    if server.host in LOOPBACK or settings.keys or settings.users.providers or server.anonymous:
        return
    if stored_keys(settings):
        return
    yield (
        f"server.host: other machines can reach {server.host}, but no 'keys' are configured. Add keys ('aduana keys "
        "create' makes one), or write 'anonymous: true' under 'server' if everybody there may use this gateway."
    )


def port_problems(settings: Settings) -> Iterator[str]:
    """Explain in sentences which ports can't be had now."""
    server = settings.server
    if server.ollama_port is not None and server.ollama_port == server.port:
        yield f"server.ollama_port: {server.port} is the port of the gateway itself (server.port). Choose another one."
        return
    for port in (server.port, server.ollama_port):
        if not port:
            continue
        error = _listening_error(server.host, port)
        if error is not None:
            yield listening_problem(settings, port, error)


def listening_problem(settings: Settings, port: int, error: OSError) -> str:
    """Say that the gateway can't listen on a port, and what to do."""
    setting = "server.ollama_port" if port == settings.server.ollama_port else "server.port"
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        setting = "server.host"
    number = error.errno or 0
    what = _WHAT_TO_DO.get(number, "Choose another port or address.")
    if isinstance(error, socket.gaierror):
        what = "This name is not known here: write an address of this machine, or 127.0.0.1."
    reason = os.strerror(number) if number > 0 else error.strerror or str(error)
    return f"{setting}: can't listen on {settings.server.host}:{port}: {reason}. {what}"


def _listening_error(host: str, port: int) -> OSError | None:
    """Take the port for a moment, as the gateway will; return why that fails."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        with socket.socket(family, socket.SOCK_STREAM) as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(found[0][4])
            taken.listen(1)
    except OSError as error:
        return error
    return None


async def address_problems(settings: Settings, *, resolve: bool) -> list[str]:
    """Explain in sentences which servers must not or can't be asked at their address.

    Args:
        settings: The whole configuration.
        resolve: Whether names of servers at home are looked up.
    """
    problems: list[str] = []
    checks = []
    for name, target in settings.targets.items():
        if not isinstance(target, ServerTargetConfig):
            continue
        problems += _unusable(name, target)
        if isinstance(target, OpenAITargetConfig) and target.zone is Zone.LOCAL and not target.trusted_host:
            seconds = target.connect_seconds if resolve else 0.0
            setting = "servers" if target.servers else "base_url"
            checks += [
                refuse_public_address(name, address, seconds=seconds, setting=setting) for address in target.addresses
            ]
    for result in await asyncio.gather(*checks, return_exceptions=True):
        if isinstance(result, ConfigurationError):
            problems += result.problems
        elif isinstance(result, BaseException):
            raise result
    return problems


def _unusable(name: str, target: ServerTargetConfig) -> Iterator[str]:
    cloud = isinstance(target, CloudTargetConfig) or (
        isinstance(target, OpenAITargetConfig) and target.zone is Zone.CLOUD
    )
    addresses = target.addresses if isinstance(target, OpenAITargetConfig) else (getattr(target, "base_url", ""),)
    if cloud:
        from gateway.cloud.settings import unencrypted

        if problem := unencrypted(name, addresses[0]):
            yield problem
    for address in addresses:
        try:
            _ = urlsplit(address).port
        except ValueError:
            setting = "base_url" if len(addresses) == 1 else "servers"
            yield f"targets.{name}.{setting}: the port of {address} is not a number up to 65535."
    if target.proxy is not None and urlsplit(target.proxy).scheme not in ("http", "https"):
        yield f"targets.{name}.proxy: write the proxy as http://host:port."
    if target.ca_file is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=target.ca_file)
        except ssl.SSLError:
            yield f"targets.{name}.ca_file: {target.ca_file} has no certificate in it (PEM)."
        except OSError as error:
            yield f"targets.{name}.ca_file: {target.ca_file} can't be read: {error.strerror}."
