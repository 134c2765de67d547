"""Who is limited by what: the limits of the configuration, below those that come with a key or a user."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

import msgspec

from gateway.core.limits import NO_LIMITS, Account, Limits, Scope, account_name
from gateway.core.request import Caller
from gateway.core.usage import micros

_NONE: Mapping[str, Limits] = MappingProxyType({})


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


class LimitTable(msgspec.Struct, frozen=True, kw_only=True):
    """Limits by name. `any_key` and `any_user` are for whoever has none of a kind of their own."""

    keys: Mapping[str, Limits] = _NONE
    users: Mapping[str, Limits] = _NONE
    tags: Mapping[str, Limits] = _NONE
    targets: Mapping[str, Limits] = _NONE
    any_key: Limits = NO_LIMITS
    any_user: Limits = NO_LIMITS
    recorded: Callable[[str | None], str | None] = _as_it_is
    """Returns how a user stands in the ledger, by which spending is known after a restart; None: not at all."""

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
        user = self.user(caller)
        found = [self.key(caller)] if user is None else [self.key(caller), user]
        if self.tags and tags:
            found += [self._tag(name) for name in sorted(tags) if name in self.tags]
        return tuple(found)

    def accounts(self, caller: Caller, tags: Collection[str], target: str) -> tuple[Account, ...]:
        """Return the sums of money that a request draws on when it is sent to this target."""
        found = [account for one in self.of(caller, tags) for account in one.accounts()]
        limited = self.target(target)
        return (*found, *(limited.accounts() if limited.limits.about_money else ()))

    def all_accounts(self, caller: Caller, targets: Collection[str]) -> tuple[Account, ...]:
        """Return the sums of money that any request of a caller could draw on, at any of these targets."""
        found = [account for one in self.of(caller, self.tags) for account in one.accounts()]
        for name in targets:
            limited = self.target(name)
            if limited.limits.about_money:
                found += limited.accounts()
        return tuple(found)

    def _counted(self, user: str) -> str:
        return self.recorded(user) or user

    def _tag(self, name: str) -> Limited:
        return Limited(scope=Scope.TAG, name=name, limits=self.tags[name])
