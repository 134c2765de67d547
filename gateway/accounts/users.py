"""Who the person behind a request is, and what this person may do: by a provider's token, or by what a front end says.

A token or a header that does not count is refused, never left out: who asks under a name is not answered under none.
"""

import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from gateway.accounts.front_end import FrontEnd, Headers, Person, user_in
from gateway.accounts.groups import Groups
from gateway.accounts.names import pseudonym
from gateway.accounts.published_keys import PublishedKeys
from gateway.accounts.token import InvalidToken, TokenHead, groups_of, head_of, user_of
from gateway.core.errors import Unavailable
from gateway.core.request import Caller

_WAIT_SECONDS = 6.0  # for a provider's keys, while a request waits
_RETRY_SECONDS = 10.0


class ProviderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What must hold of a provider's tokens."""

    name: str  # stands where a key's name would
    issuer: str
    audiences: tuple[str, ...]
    algorithms: tuple[str, ...]
    user_claim: str = "sub"
    group_claim: str = "groups"


class Provider:
    """A provider of tokens (OpenID Connect): its settings, and its keys."""

    def __init__(
        self, settings: ProviderSettings, keys: PublishedKeys, *, now: Callable[[], float] = time.time
    ) -> None:
        from gateway.accounts.signatures import TokenCheck  # not where there is no provider: see there

        self.settings = settings
        self.keys = keys
        self._check = TokenCheck(
            issuer=settings.issuer, audiences=settings.audiences, algorithms=settings.algorithms, now=now
        )

    async def expect(self, head: TokenHead) -> None:
        """Read the provider's keys, where this token may be signed with a new one."""
        if self._check.permits(head.algorithm):
            await self.keys.expect(head, _WAIT_SECONDS)

    def person(self, token: str, head: TokenHead) -> Person:
        """Return whom a token names.

        Raises:
            InvalidToken: It does not count.
            Unavailable: The provider's keys can't be had.
        """
        if not self._check.permits(head.algorithm):
            accepted = ", ".join(self.settings.algorithms)
            raise InvalidToken(f"This token is signed in a way that is not accepted here (accepted: {accepted}).")
        key = self.keys.find(head)
        if key is None and (not self.keys.known or self.keys.problem is not None):
            raise Unavailable(
                "Tokens can't be checked now, because their provider's keys can't be had. Keys of this gateway work.",
                code="provider_unavailable",
                retry_after=_RETRY_SECONDS,
            )
        if key is None:
            raise InvalidToken("This token is signed with a key that its provider does not publish. Sign in again.")
        claims = self._check.claims(token, key)
        groups = groups_of(claims, self.settings.group_claim)
        return Person(name=user_of(claims, self.settings.user_claim), groups=groups)


class Users:
    """The people whom tokens and front ends name. Holds no state but its parts."""

    def __init__(self, *, providers: Sequence[Provider] = (), front_end: FrontEnd, groups: Groups, key: bytes) -> None:
        """Keep the parts. `key`: the state directory's secret, for pseudonyms."""
        self.providers = tuple(providers)
        self.has_providers = bool(providers)  # so that a token can be somebody's
        self._by_issuer = {provider.settings.issuer: provider for provider in providers}
        self._front_end = front_end
        self._groups = groups
        self._key = key

    def problems(self) -> tuple[str, ...]:
        """Return in sentences which providers' keys can't be had."""
        return tuple(
            f"The keys of the provider {provider.settings.name} can’t be read"
            f"{', so those before stay in force' if provider.keys.known else ', so its tokens are refused'}: "
            f"{provider.keys.problem}"
            for provider in self.providers
            if provider.keys.problem is not None
        )

    def issued(self, token: str) -> bool:
        """Return whether a token says that it is one of a provider's that is known here."""
        try:
            return head_of(token).issuer in self._by_issuer
        except InvalidToken:
            return False

    async def expect(self, token: str) -> None:
        """Get ready for a token: read its provider's keys, where they are not known yet. Tells nothing of the token."""
        try:
            head = head_of(token)
        except InvalidToken:
            return
        provider = self._by_issuer.get(head.issuer)
        if provider is not None:
            await provider.expect(head)

    def of_token(self, token: str) -> Caller:
        """Return who asks with a provider's token.

        Raises:
            InvalidToken: It does not count.
            Forbidden: No group of the user's may ask.
            Unavailable: It can't be checked now.
        """
        head = head_of(token)
        provider = self._by_issuer.get(head.issuer)
        if provider is None:
            raise InvalidToken(
                "This token's provider is not known here. Ask the owner of this gateway, who names providers in "
                "users.providers; if the token is for a provider of models, send a key of this gateway beside it, as "
                "'x-aduana-key'."
            )
        person = provider.person(token, head)
        rights = self._groups.rights(person.groups)
        return Caller(
            key=provider.settings.name,
            user=person.name,
            account=pseudonym(person.name, self._key),
            tags=rights.tags,
            models=rights.models,
            admin=rights.admin,
            user_limits=rights.limits,
        )

    def of_front_end(self, caller: Caller, headers: Headers) -> Caller:
        """Return who asks through a front end, by its headers; what its key may do stays the most that anybody may.

        Raises:
            Unauthorized: What the headers say does not count.
            Forbidden: No group of the user's may ask.
        """
        if not caller.front_end:
            return caller
        person = self._front_end.person(headers)
        return caller if person is None else self._for(caller, person, account=pseudonym(person.name, self._key))

    def of_body(self, caller: Caller, document: Mapping[str, object]) -> Caller:
        """Return who asks through a front end, by the field `user` of a body, where no header has said it.

        Raises:
            Forbidden: There are groups, and none for everybody else.
        """
        if not caller.front_end or caller.account or not self._front_end.believes_bodies:
            return caller
        name = user_in(document)
        return caller if name is None else self._for(caller, Person(name=name), account="")

    def _for(self, caller: Caller, person: Person, *, account: str) -> Caller:
        rights = self._groups.rights(person.groups)
        models = caller.models
        if rights.models is not None:
            models = rights.models if models is None else models & rights.models
        # INVARIANT: through a front end nobody administers: it would be enough to take over the front end.
        return msgspec.structs.replace(
            caller,
            user=person.name,
            account=account,
            tags=caller.tags | rights.tags,
            models=models,
            admin=False,
            metrics=False,
            user_limits=rights.limits,
        )
