"""Who asks, by whatever a request brings: a key of this gateway, a token of a provider, and the word of a front end.

A key that is known here counts before any token, for a token beside it may be meant for a provider of models.
"""

from collections.abc import Mapping
from typing import Protocol

from multidict import CIMultiDictProxy

from gateway.accounts.token import looks_like_token
from gateway.core.errors import BadRequest, Unauthorized
from gateway.core.request import Caller
from gateway.core.secret import Credential
from gateway.server.auth import KeyRing, credentials_of
from gateway.server.headers import KEY

Headers = CIMultiDictProxy[str]


class People(Protocol):
    """Those who know the people whom tokens and front ends name."""

    @property
    def has_providers(self) -> bool:
        """Return whether there are providers, so that a token can be somebody's."""

    def issued(self, token: str) -> bool:
        """Return whether a token says that it is one of a provider's that is known here."""

    async def expect(self, token: str) -> None:
        """Get ready for a token that is looked at next."""

    def of_token(self, token: str) -> Caller:
        """Return who asks with a token."""

    def of_front_end(self, caller: Caller, headers: Headers) -> Caller:
        """Return who asks through a front end, by its headers; any other caller stays as it is."""

    def of_body(self, caller: Caller, document: Mapping[str, object]) -> Caller:
        """Return who asks through a front end, by a body; any other caller stays as it is."""


class Callers:
    """Those who may ask. Holds no state but its parts."""

    def __init__(self, keys: KeyRing, people: People | None) -> None:
        self._keys = keys
        self._people = people

    @property
    def expects(self) -> bool:
        """Return whether tokens can be somebody's, so that `expect` has something to get ready for."""
        return self._people is not None and self._people.has_providers

    async def expect(self, headers: Headers) -> None:
        """Get ready for a request's token, where `caller` will look at one. Refuses nobody."""
        people = self._people
        if people is not None and people.has_providers and not self._keys.knows_one_of(headers):
            for token in _tokens(headers):
                await people.expect(token)

    def caller(self, headers: Headers) -> Caller:
        """Return who asks.

        Raises:
            BadRequest: The request has credentials of two callers.
            Unauthorized: None of them is known here, or there is none and one is needed.
            Forbidden: The user may not ask at all.
            Unavailable: A token can't be checked now.
        """
        people = self._people
        if people is None:
            return self._keys.caller(headers)
        if people.has_providers:
            return self._by_token_or_key(people, headers)
        return people.of_front_end(self._keys.caller(headers), headers)

    def _by_token_or_key(self, people: People, headers: Headers) -> Caller:
        tokens = _tokens(headers) if not self._keys.knows_one_of(headers) else set()
        if len(tokens) > 1:
            raise BadRequest("Two tokens in one request. Send exactly one.", code="ambiguous_credentials")
        if tokens:
            return people.of_token(tokens.pop())
        caller = self._keys.caller(headers)
        # INVARIANT: who shows a credential is not answered as nobody, without the tags that go with it.
        if self._keys.is_anonymous(caller) and credentials_of(headers):
            raise Unauthorized(
                "What this request shows is neither a key of this gateway nor a signed token (JWT) of its providers. "
                "Sign in again, or send no credential."
            )
        return people.of_front_end(caller, headers)

    def named_in(self, caller: Caller, document: Mapping[str, object]) -> Caller:
        """Return who asks, now that the body is known: a front end may name its user there.

        Raises:
            Forbidden: The user may not ask at all.
        """
        if self._people is None or not caller.front_end:
            return caller
        return self._people.of_body(caller, document)

    def provider_credentials(self, headers: Headers) -> tuple[Credential, ...]:
        """Return what a caller sends for a provider of models: at most one credential of each form.

        INVARIANT: neither a key of this gateway nor a token by which its users sign in.
        """
        people = self._people
        found = self._keys.provider_credentials(headers)
        if people is None or not people.has_providers:
            return found
        if not headers.get(KEY, "").strip():
            return ()
        return tuple(one for one in found if not people.issued(one.secret.reveal()))


def _tokens(headers: Headers) -> set[str]:
    """Return the tokens among a request's credentials; what stands in `x-aduana-key` alone, where something does."""
    own = headers.get(KEY, "").strip()
    return {one for one in ({own} if own else credentials_of(headers)) if looks_like_token(one)}
