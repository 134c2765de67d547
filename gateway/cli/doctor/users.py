"""The people behind requests: whose word is believed, and whether the providers' keys can be had."""

import asyncio
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway.accounts.key_documents import KeyAddress, is_near
from gateway.accounts.published_keys import KeysUnavailable, parse_keys
from gateway.app.keys.stored_keys import stored_keys
from gateway.cli.doctor.finding import Finding, Patient, note, ok, problem
from gateway.settings.users import ProviderConfig, UsersConfig


def users(patient: Patient) -> Iterator[Finding]:
    """Yield how people are known. Providers on the Internet are asked for their keys only with --online."""
    settings = patient.settings
    if settings is None:
        return
    fronts = [name for name, key in settings.keys.items() if key.front_end]
    fronts += [key.name for key in stored_keys(settings) if key.front_end and key.revoked_at is None]
    if fronts:
        yield _front_ends(fronts, settings.users)
    for name, provider in settings.users.providers.items():
        if provider.jwks_url is not None:
            yield _asked(name, provider, provider.jwks_url, online=patient.online)
        else:
            yield ok(f"{name}: its keys stand in {provider.jwks_file}")
    if fronts or settings.users.providers:
        yield ok(f"users stand in the record: {settings.users.record}")


def _front_ends(names: list[str], users: UsersConfig) -> Finding:
    what = f"{', '.join(names)} may say for whom it asks"
    if users.front_end.secret is not None:
        return ok(f"{what}, in a signed header")
    return note(
        f"{what}, in plain words: whoever has that key can write any name.",
        "With Open WebUI, set users.front_end.secret (docs/users.md).",
    )


def _asked(name: str, provider: ProviderConfig, url: str, *, online: bool) -> Finding:
    host = urlsplit(url).hostname or ""
    try:
        near = all(is_near(str(found[4][0])) for found in socket.getaddrinfo(host, None))
    except (OSError, UnicodeError):
        return problem(f"{name}: the name {host} is not known here.", "Correct users.providers, or the network.")
    if not near and not online:
        return ok(f"{name}: not tried; --online asks it for its public keys")
    try:
        keys = parse_keys(asyncio.run(KeyAddress(url, authorities=provider.ca_file).read()))
    except KeysUnavailable as error:
        todo = "Tokens are refused without them; 'jwks_file' takes them from a file."
        return problem(f"{name}: the keys can't be had: {error}.", todo)
    return ok(f"{name}: {len(keys)} key{'' if len(keys) == 1 else 's'} to check tokens with")
