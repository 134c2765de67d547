"""Who is limited by what: the limits of the configuration, below those that come with a key or a user."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import TypeVar

import msgspec

from gateway.core.limits import NO_LIMITS, Account, Limits, Scope, account_name
from gateway.core.request import Caller
from gateway.core.usage import micros

_NONE: Mapping[str, Limits] = MappingProxyType({})


_K = TypeVar("_K")
_V = TypeVar("_V")
_MOST = 4096  # callers that are remembered


def _remember(known: dict[_K, _V], name: _K, value: _V) -> _V:
    if len(known) >= _MOST:
        known.clear()
    known[name] = value
    return value


def _as_it_is(user: str | None) -> str | None:
    return user


class Limited(msgspec.Struct, frozen=True, kw_only=True):
    """A key, user, tag or target, and its limits."""

    scope: Scope
    name: str
    limits: Limits

    def accounts(self) -> tuple[Account, ...]:
        """Return the sums of its spending: the month's, and the day's where that has a limit."""
        told = self.scope.value if self.scope is Scope.USER else None
        month, day = self.limits.usd_month, self.limits.usd_day
        by_month, by_day = account_name(self.scope, self.name), account_name(self.scope, self.name, daily=True)
        return (
            Account(name=by_month, told=told or by_month, limit=None if month is None else micros(month)),
            Account(name=by_day, told=f"{told}_day" if told else by_day, limit=None if day is None else micros(day)),
        )


class LimitTable:
    """Limits by name, which never change. Of whoever asks again, what was looked up is remembered."""

    def __init__(
        self,
        *,
        keys: Mapping[str, Limits] = _NONE,
        users: Mapping[str, Limits] = _NONE,
        tags: Mapping[str, Limits] = _NONE,
        targets: Mapping[str, Limits] = _NONE,
        any_key: Limits = NO_LIMITS,
        any_user: Limits = NO_LIMITS,
        recorded: Callable[[str | None], str | None] = _as_it_is,
    ) -> None:
        """Keep the limits.

        Args:
            keys: Limits of keys.
            users: Limits of users, over all keys.
            tags: Limits of requests with a tag.
            targets: Limits of targets.
            any_key: For keys, in each kind of which they have no limit of their own.
            any_user: The same for users.
            recorded: Returns how a user stands in the ledger, by which spending is known after a restart; None: not at
                all. Always the same for one user.
        """
        self.keys, self.users, self.tags, self.targets = keys, users, tags, targets
        self.any_key, self.any_user = any_key, any_user
        self._recorded = recorded
        self._of: dict[Caller, tuple[Limited, ...]] = {}
        self._using: dict[Caller, tuple[Limited, ...]] = {}
        self._accounts: dict[tuple[Caller, tuple[str, ...]], tuple[Account, ...]] = {}

    def key(self, caller: Caller) -> Limited:
        """Return the limits of the caller's key."""
        limits = caller.limits.over(self.keys.get(caller.key, NO_LIMITS)).over(self.any_key)
        return Limited(scope=Scope.KEY, name=caller.key, limits=limits)

    def user(self, caller: Caller) -> Limited | None:
        """Return the limits of the caller's user over all keys; None: nobody knows who that is."""
        if caller.user is None:
            return None
        limits = self.users.get(caller.user, NO_LIMITS).over(caller.user_limits).over(self.any_user)
        return Limited(scope=Scope.USER, name=self._counted(caller.user), limits=limits)

    @property
    def about_money(self) -> bool:
        """Return whether anybody's money is limited."""
        every = (self.any_key, self.any_user)
        named = (self.keys, self.users, self.tags, self.targets)
        return any(one.about_money for one in (*every, *(limits for each in named for limits in each.values())))

    def names(self) -> list[tuple[Scope, str]]:
        """Return everything that has limits by its name."""
        scopes = (
            (Scope.KEY, self.keys),
            (Scope.USER, self.users),
            (Scope.TAG, self.tags),
            (Scope.TARGET, self.targets),
        )
        return [(scope, name) for scope, limits in scopes for name in limits]

    def named(self, scope: Scope, name: str) -> Limited:
        """Return the limits that the configuration has for a name."""
        match scope:
            case Scope.KEY:
                return self.key(Caller(key=name))
            case Scope.USER:
                limits = self.users.get(name, NO_LIMITS).over(self.any_user)
                return Limited(scope=scope, name=self._counted(name), limits=limits)
            case Scope.TAG:
                return Limited(scope=scope, name=name, limits=self.tags.get(name, NO_LIMITS))
            case Scope.TARGET:
                return self.target(name)

    def target(self, name: str) -> Limited:
        """Return the limits of a target."""
        return Limited(scope=Scope.TARGET, name=name, limits=self.targets.get(name, NO_LIMITS))

    def of(self, caller: Caller, tags: Collection[str]) -> tuple[Limited, ...]:
        """Return everything but targets that limits the requests, tokens or money of a request."""
        found = self._of.get(caller)
        if found is None:
            user = self.user(caller)
            found = (self.key(caller),) if user is None else (self.key(caller), user)
            _remember(self._of, caller, found)
        if self.tags and tags:
            return (*found, *(self._tag(name) for name in sorted(tags) if name in self.tags))
        return found

    def using(self, caller: Caller, tags: Collection[str]) -> tuple[Limited, ...]:
        """Return those of them that limit requests or tokens."""
        if self.tags and tags:
            return tuple([one for one in self.of(caller, tags) if one.limits.about_use])
        found = self._using.get(caller)
        if found is None:
            found = _remember(self._using, caller, tuple(one for one in self.of(caller, ()) if one.limits.about_use))
        return found

    def accounts(self, caller: Caller, tags: Collection[str], target: str) -> tuple[Account, ...]:
        """Return the sums of money that a request draws on when it is sent to this target."""
        return self._drawn(caller, tags, (target,))

    def all_accounts(self, caller: Caller, targets: tuple[str, ...]) -> tuple[Account, ...]:
        """Return the sums of money that any request of a caller could draw on, at any of these targets."""
        return self._drawn(caller, self.tags, targets)

    def _drawn(self, caller: Caller, tags: Collection[str], targets: tuple[str, ...]) -> tuple[Account, ...]:
        tagged = bool(self.tags and tags)
        found = None if tagged else self._accounts.get((caller, targets))
        if found is None:
            sums = [account for one in self.of(caller, tags) for account in one.accounts()]
            for limited in map(self.target, targets):
                sums += limited.accounts() if limited.limits.about_money else ()
            found = tuple(sums)
            if not tagged:
                _remember(self._accounts, (caller, targets), found)
        return found

    def _counted(self, user: str) -> str:
        return self._recorded(user) or user

    def _tag(self, name: str) -> Limited:
        return Limited(scope=Scope.TAG, name=name, limits=self.tags[name])
