"""`limits:`: what one key, user, tag or target may use."""

from pydantic import Field, model_validator

from gateway.core.limits import NO_LIMITS, Limits
from gateway.settings.section import Name, Section, Tag

DEFAULT = "default"


class LimitConfig(Section):
    """Limits of one key, user, tag or target. What is not set is not limited."""

    usd_day: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Cloud spending in one day, US dollars."""
    usd_month: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Cloud spending in one calendar month, US dollars."""
    tokens_per_minute: int | None = Field(default=None, ge=1)
    """Tokens of prompts and answers in any sixty seconds, wherever they are answered."""
    tokens_per_day: int | None = Field(default=None, ge=1)
    """The same in one day."""
    requests_per_minute: int | None = Field(default=None, ge=1)
    """Requests in any sixty seconds."""
    parallel: int | None = Field(default=None, ge=1)
    """Requests that run at once."""

    def limits(self) -> Limits:
        """Return the limits as the gateway's rooms know them."""
        return Limits(**self.model_dump())


class LimitsConfig(Section):
    """Limits by name. `default` stands for each one, with its own count, for what its own entry does not set.

    A request that a limit has no room for is answered 429 with the time when there will be room; money limits only
    close cloud targets, and a target's limits only that target.
    """

    keys: dict[Name, LimitConfig] = Field(default_factory=dict)
    """By API key; `anonymous` is who asks without one."""
    users: dict[str, LimitConfig] = Field(default_factory=dict)
    """By user, over all keys."""
    tags: dict[Tag, LimitConfig] = Field(default_factory=dict)
    """By tag, whoever sends it. There is no `default`."""
    targets: dict[Name, LimitConfig] = Field(default_factory=dict)
    """By target, whoever asks: while it has no room, the next permitted one is asked."""

    @model_validator(mode="after")
    def _no_default_of_tags(self) -> "LimitsConfig":
        if DEFAULT in self.tags:
            raise ValueError(
                "tags have no 'default': a client can invent a tag, with a count of its own. Name the tags"
            )
        return self


def own(limits: dict[str, LimitConfig]) -> dict[str, Limits]:
    """Return the limits of those who are named."""
    return {name: config.limits() for name, config in limits.items() if name != DEFAULT}


def default(limits: dict[str, LimitConfig]) -> Limits:
    """Return the limits of whoever has none of a kind."""
    return limits[DEFAULT].limits() if DEFAULT in limits else NO_LIMITS
