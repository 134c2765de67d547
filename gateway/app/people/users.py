"""The people behind requests, wired together: front ends, providers of tokens and their keys, groups. No logic here."""

import math

from gateway.accounts.front_end import FrontEnd
from gateway.accounts.key_documents import KeyAddress, KeyFile
from gateway.accounts.names import UserNames, UserRecord
from gateway.accounts.published_keys import Pace, PublishedKeys
from gateway.accounts.users import Provider, Users
from gateway.app.people.settings import front_end_settings, groups_of, provider_settings
from gateway.app.supervisor import Supervisor
from gateway.settings import Settings
from gateway.settings.users import ProviderConfig

# Providers change their keys every few weeks at most, and announce the next one before they use it.
_ADDRESS = Pace(every=3600, retry=30, apart=10, longest=86_400)
_FILE = Pace(every=2, retry=2, apart=0, longest=math.inf)


async def users_of(settings: Settings, key: bytes, supervisor: Supervisor) -> Users:
    """Return those who know the people behind requests. Files with keys are read, and addresses asked meanwhile.

    Args:
        settings: The whole configuration.
        key: The state directory's secret, for pseudonyms.
        supervisor: Keeps the providers' keys fresh.

    Raises:
        ConfigurationError: The front ends' secret can't be read or is too short.
    """
    users = settings.users
    people = Users(
        providers=[Provider(provider_settings(name, one), _keys(name, one)) for name, one in users.providers.items()],
        front_end=FrontEnd(front_end_settings(users.front_end)),
        groups=groups_of(settings),
        key=key,
    )
    for provider in people.providers:
        name = provider.settings.name
        if users.providers[name].jwks_file is not None:
            await provider.keys.renew()
        supervisor.keep(f"keys of {name}", provider.keys.watch)
    return people


def names_of(settings: Settings, key: bytes) -> UserNames:
    """Return how users are written down. `key`: the state directory's secret."""
    return UserNames(UserRecord(settings.users.record), key)


def _keys(name: str, provider: ProviderConfig) -> PublishedKeys:
    if provider.jwks_file is not None:
        return PublishedKeys(name, KeyFile(provider.jwks_file).read, _FILE)
    assert provider.jwks_url is not None
    return PublishedKeys(name, KeyAddress(provider.jwks_url, authorities=provider.ca_file).read, _ADDRESS)
