"""What the configuration says of people, as the room that knows them takes it; secrets are read."""

from collections.abc import Iterator

from gateway.accounts.front_end import LEAST_SECRET, FrontEndSettings
from gateway.accounts.groups import Group, Groups
from gateway.accounts.key_documents import KeyAddress, KeyFile
from gateway.accounts.published_keys import KeysUnavailable, parse_keys
from gateway.accounts.users import ProviderSettings
from gateway.core.errors import ConfigurationError
from gateway.core.secret import Secret
from gateway.settings import Settings, read_secret
from gateway.settings.users import FrontEndConfig, GroupConfig, ProviderConfig

_PLAIN = {"email": ("email", "X-OpenWebUI-User-Email"), "id": ("sub", "X-OpenWebUI-User-Id")}


def front_end_settings(front_end: FrontEndConfig) -> FrontEndSettings:
    """Return how front ends say who asks.

    Raises:
        ConfigurationError: Their secret can't be read or is too short.
    """
    secret = None if front_end.secret is None else read_secret(front_end.secret)
    if secret is not None and len(secret) < LEAST_SECRET:
        raise ConfigurationError(
            (f"the secret is shorter than {LEAST_SECRET} characters. Make one with 'openssl rand -hex 32'.",)
        )
    claim, header = _PLAIN[front_end.name]
    return FrontEndSettings(
        secret=None if secret is None else Secret(secret),
        header=front_end.header,
        issuer=front_end.issuer,
        claim=claim,
        plain_name=header,
        required=front_end.required,
    )


def provider_problems(provider: ProviderConfig) -> Iterator[str]:
    """Explain in sentences which files of a provider can't be used; each begins with the setting."""
    try:
        if provider.jwks_file is not None:
            parse_keys(KeyFile(provider.jwks_file).read_now() or b"")
    except KeysUnavailable as error:
        yield f"jwks_file: {error}."
    try:
        if provider.jwks_url is not None:
            KeyAddress(provider.jwks_url, authorities=provider.ca_file)
    except KeysUnavailable as error:
        yield f"ca_file: {error}."


def provider_settings(name: str, provider: ProviderConfig) -> ProviderSettings:
    """Return what must hold of a provider's tokens."""
    return ProviderSettings(
        name=name,
        issuer=provider.issuer,
        audiences=provider.audiences,
        algorithms=provider.algorithms,
        user_claim=provider.name,
        group_claim=provider.groups,
    )


def groups_of(settings: Settings) -> Groups:
    """Return what members of groups may do."""
    return Groups({name: _group(group) for name, group in settings.users.groups.items()})


def _group(group: GroupConfig) -> Group:
    return Group(tags=group.tags, models=group.models, limits=group.limits.limits(), admin=group.admin)
