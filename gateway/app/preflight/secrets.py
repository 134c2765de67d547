"""Secrets that the configuration names: variables that are not set, files that can't be read or are empty."""

from collections.abc import Iterator

from gateway.app.egress.clouds import clouds_of
from gateway.app.people.settings import front_end_settings, provider_problems
from gateway.app.room_settings import key_secrets
from gateway.core.errors import ConfigurationError
from gateway.server import KeyRing
from gateway.settings import Settings, read_secret
from gateway.settings.servers import ServerTargetConfig


def secret_problems(settings: Settings, *, clouds: bool) -> Iterator[str]:
    """Explain in sentences which secrets can't be had. None of them is in a sentence.

    `clouds`: whether their keys are read, too.
    """
    try:
        KeyRing(key_secrets(settings), anonymous=None)
    except ConfigurationError as error:
        yield from error.problems
    try:
        front_end_settings(settings.users.front_end)
    except ConfigurationError as error:
        yield from (f"users.front_end.secret: {problem}" for problem in error.problems)
    for name, provider in settings.users.providers.items():
        yield from (f"users.providers.{name}.{problem}" for problem in provider_problems(provider))
    for setting, reference in _references(settings, clouds=clouds):
        try:
            read_secret(reference)
        except ConfigurationError as error:
            yield from (f"{setting}: {problem}" for problem in error.problems)


def _references(settings: Settings, *, clouds: bool) -> Iterator[tuple[str, str]]:
    elsewhere = frozenset() if clouds else frozenset(name for name, _ in clouds_of(settings))
    for name, target in settings.targets.items():
        if isinstance(target, ServerTargetConfig) and target.api_key is not None and name not in elsewhere:
            yield f"targets.{name}.api_key", target.api_key
    if settings.traces.endpoint is not None:
        for name, reference in settings.traces.headers.items():
            yield f"traces.headers.{name}", reference
