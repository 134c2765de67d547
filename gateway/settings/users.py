"""`users:`: who the person behind a request is, and what members of groups may do."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from gateway.settings.limits import LimitConfig
from gateway.settings.section import Name, SecretReference, Section, Tag

_GroupName = Annotated[str, Field(min_length=1, max_length=200)]
_Claim = Annotated[str, Field(min_length=1, max_length=200)]
_Header = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,80}$")]


class FrontEndConfig(Section):
    """How front ends say who asks. Only what comes with a key that has `front_end: true` is believed."""

    secret: SecretReference | None = None
    """What Open WebUI signs its header with (`FORWARD_USER_INFO_HEADER_JWT_SECRET`), at least 32 characters. Then plain
    headers and the field `user` count for nothing. Default: those are believed."""
    header: _Header = "X-OpenWebUI-User-Jwt"
    """Header with the signed token."""
    issuer: str | None = "open-webui"
    """Who the token must say has made it; null: whoever has the secret."""
    name: Literal["email", "id"] = "email"
    """By what users are known: the token's `email` or `sub`, or the header `X-OpenWebUI-User-Email` or `-Id`."""
    required: bool = False
    """Refuse what comes from a front end without a user in a header."""


class ProviderConfig(Section):
    """A provider of tokens (OpenID Connect), as Authelia, Authentik or Keycloak.

    Its name stands where a key's would, in the ledger and in policies.
    """

    issuer: str = Field(min_length=1)
    """Its `issuer`, letter by letter as its `/.well-known/openid-configuration` has it."""
    audience: str | tuple[str, ...] = Field(min_length=1)
    """For whom a token must be: the `aud` of the tokens, often the client's id. Several: one of them is enough."""
    jwks_url: str | None = Field(default=None, pattern=r"^https?://[^\s@]+$")
    """Address of its public keys (`jwks_uri`). Without TLS only on this machine or in a private network."""
    jwks_file: Path | None = None
    """File with its public keys, in place of an address. One that is written anew counts within seconds."""
    ca_file: Path | None = None
    """Certificate authorities (PEM) to trust at that address, beside those of the system."""
    algorithms: tuple[
        Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
        ...,
    ] = Field(default=("RS256", "PS256", "ES256", "EdDSA"), min_length=1)
    """How tokens may be signed."""
    name: _Claim = "sub"
    """The claim by which users are known, as `preferred_username` or `email`: one that they can't change themselves."""
    groups: _Claim = "groups"
    """The claim with the user's groups; dots lead into claims, as in `realm_access.roles`."""

    @model_validator(mode="after")
    def _keys_somewhere(self) -> Self:
        if (self.jwks_url is None) == (self.jwks_file is None):
            raise ValueError("write where its public keys are: 'jwks_url' or 'jwks_file', one of the two")
        if self.jwks_url is not None and self.jwks_url.lower().startswith("http://") and _is_far(self.jwks_url):
            raise ValueError("'jwks_url' must begin with https: without TLS anybody on the way could give other keys")
        return self

    @property
    def audiences(self) -> tuple[str, ...]:
        """Return for whom a token may be."""
        return (self.audience,) if isinstance(self.audience, str) else self.audience


class GroupConfig(Section):
    """What members of a group may do.

    Its name is the group's, as the token says it; that of Open WebUI's users is their role, `user` or `admin`. The name
    `*` stands for everybody who is in no other group.
    """

    tags: frozenset[Tag] = frozenset()
    """Tags that every request of a member carries; those of all groups together."""
    models: frozenset[str] | None = None
    """Model names that members may ask for; of several groups, those of any. Default: all."""
    limits: LimitConfig = LimitConfig()
    """Limits of each member, over all keys, where the member's entry below `limits.users` does not say it; of several
    groups, the widest."""
    admin: bool = False
    """May use /admin and see explanations, with a provider's token; never through a front end."""


class UsersConfig(Section):
    """The people behind requests: from front ends, and by tokens of a provider."""

    record: Literal["plain", "pseudonym", "none"] = "plain"
    """How users stand in the ledger: by name, by a pseudonym that only this state directory's key can make from the
    name, or not at all."""
    front_end: FrontEndConfig = FrontEndConfig()
    """How front ends say who asks."""
    providers: dict[Name, ProviderConfig] = Field(default_factory=dict)
    """Providers of tokens."""
    groups: dict[_GroupName, GroupConfig] = Field(default_factory=dict)
    """What members of groups may do. Where there are any, a user who is in none of them is refused."""


def _is_far(url: str) -> bool:
    """Return whether an address names a host by a public number. A name is looked at when it is dialled."""
    try:
        address = ipaddress.ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return False
    return address.is_global
