"""Limits of what one key, user, tag or target may use, and the sums of money that they are about. Plain data."""

import enum
import hashlib

import msgspec


class Scope(enum.StrEnum):
    """What a limit is about."""

    KEY = "key"
    USER = "user"
    TAG = "tag"
    TARGET = "target"


class Limits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Limits of one key, user, tag or target. None: no limit of this kind.

    Money is what clouds cost, in US dollars, by the calendar day and month; tokens are those of prompts and answers.
    """

    usd_day: float | None = None
    usd_month: float | None = None
    tokens_per_minute: int | None = None
    tokens_per_day: int | None = None
    requests_per_minute: int | None = None
    parallel: int | None = None  # requests that run at once

    def over(self, others: "Limits") -> "Limits":
        """Return these limits, and those of `others` for every kind that is not limited here."""
        if others == NO_LIMITS:
            return self
        mine = {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}
        return msgspec.structs.replace(others, **mine)

    @property
    def about_money(self) -> bool:
        """Return whether money is limited."""
        return self.usd_day is not None or self.usd_month is not None

    @property
    def about_use(self) -> bool:
        """Return whether requests or tokens are limited, wherever they are answered."""
        return self != NO_LIMITS and (
            self.tokens_per_minute is not None
            or self.tokens_per_day is not None
            or self.requests_per_minute is not None
            or self.parallel is not None
        )


NO_LIMITS = Limits()


class Account(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """Sum of cloud spending in the running day or month: of everybody, or of one key, user, tag or target.

    Names are `day` and `month`, or a scope and a name: `user:ana` for the month, `user_day:ana` for the day.
    """

    name: str
    told: str  # as receipts, policies and clients see it: without the name of the user, who is the caller
    limit: int | None = None  # micro-dollars

    @property
    def daily(self) -> bool:
        """Return whether it begins anew every day, and not every month."""
        return is_daily(self.name)


def is_daily(name: str) -> bool:
    """Return whether the account of this name begins anew every day, and not every month."""
    return name.partition(":")[0].endswith("day")


def account_name(scope: Scope, name: str, *, daily: bool = False) -> str:
    """Return the name of the account of a key, user, tag or target."""
    return f"{scope.value}_day:{name}" if daily else f"{scope.value}:{name}"


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What a request takes of the limits of one key, user, tag or target, where gateways share them."""

    scope: Scope
    name: str
    limits: Limits
    tokens: int = 0  # set aside, within the limit of a minute
    tokens_day: int = 0  # likewise, within the limit of a day

    @property
    def by_minute(self) -> bool:
        """Return whether requests or tokens of a minute are limited."""
        return self.limits.requests_per_minute is not None or self.limits.tokens_per_minute is not None

    @property
    def place(self) -> bytes:
        """Return what a shared ledger calls it: the name of no user stands there."""
        return hashlib.blake2b(f"{self.scope.value}:{self.name}".encode(), digest_size=12).digest()


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """What all gateways together use below the limits of one key, user, tag or target."""

    requests: int = 0  # of the last minute
    tokens: int = 0  # likewise
    tokens_day: int = 0
    running: int = 0


class Full(msgspec.Struct, frozen=True, kw_only=True):
    """A shared limit that has no room for a request."""

    scope: Scope
    name: str
    kind: str  # by the words of the configuration
    limit: int
    used: int
    wait: float | None = None  # seconds until it has room; None: the ledger does not know
