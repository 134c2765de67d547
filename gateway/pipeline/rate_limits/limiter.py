"""The rate limiter: the one owner of what keys, users, tags and targets use of this gateway now.

Where gateways share a ledger, it refuses what this gateway alone has no room for; whether all of them together have
room is said by the ledger, with the receipt.

INVARIANT: `admit` and `enter` look and take in one step, with nothing awaited in between; whatever they took is given
back by `end`, once, however the request ended.
"""

import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

import msgspec

from gateway.core.errors import RateLimited, TargetBusy
from gateway.core.events import LimitReached
from gateway.core.limits import NO_LIMITS, Claim, Full, Limits, Scope, Use
from gateway.core.request import Caller
from gateway.core.route import Room
from gateway.pipeline.ports import Observer
from gateway.pipeline.rate_limits.meter import Kind, Meter, Moment, Need, Shortage
from gateway.pipeline.rate_limits.refusals import busy, refusal
from gateway.pipeline.rate_limits.table import Limited, LimitTable

_NO_USE = Use()
_MANY = 1_000  # meters, from which on those of nobody who asks now are looked for


class UsedLimit(msgspec.Struct, frozen=True, kw_only=True):
    """A limit, and how much of it is used now."""

    scope: Scope
    name: str
    kind: Kind
    used: int
    limit: int


class RateLimiter:
    """Counts of requests and tokens, and the limits that they are held against.

    All begin at 0 with each start, but for the tokens of the day.
    """

    def __init__(
        self,
        table: LimitTable,
        *,
        observer: Observer,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        clock: Callable[[], float] = time.monotonic,
        tokens_today: Mapping[tuple[Scope, str], int] | None = None,
        elsewhere: Callable[[Claim], Use | None] | None = None,
    ) -> None:
        """Begin with nothing used.

        Args:
            table: The limits of the configuration.
            observer: Is told of each refusal.
            now: The time in the zone in which days begin.
            clock: Seconds of a clock that never jumps.
            tokens_today: What the ledger knows of this day from before the start.
            elsewhere: Returns what all gateways together used of a limit a moment ago. None: this one counts alone.
        """
        self.shared = elsewhere is not None
        self._elsewhere = elsewhere or _nobody_else
        self.table = table
        self._observer = observer
        self._now = now
        self._clock = clock
        self._earlier = dict(tokens_today or {})
        self._started = now().date()
        self._meters: dict[tuple[Scope, str], Meter] = {}
        self._held: dict[str, list[Meter]] = {}  # request → where it counts
        self._asked: dict[str, Meter] = {}  # request → the target where it counts
        self._sweep_at = _MANY

    def admit(self, request_id: str, caller: Caller, tags: Collection[str], need: Need) -> RateLimited | None:
        """Count a request against the limits of its key, user and tags, and return None; or return why it is refused.

        What is refused counts nowhere.
        """
        limited = self.table.using(caller, tags)
        if not limited:
            return None
        now = self._moment()
        self._sweep(now)
        meters = [self._meter(one, now) for one in limited]
        worst: tuple[Limited, Shortage] | None = None
        for one, meter in zip(limited, meters, strict=True):
            shortage = meter.shortage(need, now)
            if shortage is not None and (worst is None or shortage.wait > worst[1].wait):
                worst = one, shortage
        if worst is not None:
            self._tell(request_id, *worst)
            return refusal(*worst)
        for meter in meters:
            meter.take(request_id, need, now)
        self._held[request_id] = meters
        return None

    def full(self, target: str, need: Need) -> TargetBusy | None:
        """Return why a target's limits have no room for a request now; None: they have. Nothing is taken."""
        if target not in self.table.targets:
            return None
        limited = self.table.target(target)
        shortage = self._shortage(limited, need)
        return None if shortage is None else busy(limited, shortage)

    def turned_away(self, request_id: str, targets: Collection[str], need: Need) -> None:
        """Note that a request was refused because all targets that may answer it were full."""
        for limited in map(self.table.target, targets):
            shortage = self._shortage(limited, need)
            if shortage is not None:
                self._tell(request_id, limited, shortage)

    def enter(self, request_id: str, target: str, need: Need) -> TargetBusy | None:
        """Count a request against the limits of the target that is asked next, and return None; or why it is not asked.

        The target that was asked before it has given no answer: what was set aside there is free again.
        """
        if self._asked:
            self._leave(request_id, 0)
        if target not in self.table.targets:
            return None
        limited = self.table.target(target)
        if not limited.limits.about_use:
            return None
        now = self._moment()
        meter = self._meter(limited, now)
        shortage = meter.shortage(need, now)
        if shortage is not None:
            self._tell(request_id, limited, shortage)
            return busy(limited, shortage)
        meter.take(request_id, need, now)
        self._asked[request_id] = meter
        return None

    def claims(self, caller: Caller | None, tags: Collection[str], target: str, need: Need) -> tuple[Claim, ...]:
        """Return what a request takes of limits that gateways share: its target's, and its caller's unless None."""
        limited = () if caller is None else self.table.using(caller, tags)
        asked = self.table.target(target)
        return tuple(_claim(one, need) for one in (*limited, asked) if one.limits.about_use)

    def refused(self, request_id: str, caller: Caller, tags: Collection[str], need: Need, full: Full) -> RateLimited:
        """Return why a request is refused that was admitted here: other gateways have used what is shared.

        It counts nowhere.
        """
        for meter in self._held.pop(request_id, ()):
            meter.undo(request_id)
        limited = next(
            (one for one in self.table.using(caller, tags) if (one.scope, one.name) == (full.scope, full.name)),
            Limited(scope=full.scope, name=full.name, limits=NO_LIMITS),  # it was taken away meanwhile
        )
        shortage = self._by_others(limited, need, full)
        self._tell(request_id, limited, shortage)
        return refusal(limited, shortage)

    def busy(self, request_id: str, need: Need, full: Full) -> TargetBusy:
        """Return why a target is not asked: other gateways have used what is shared of its limits."""
        limited = self.table.target(full.name)
        shortage = self._by_others(limited, need, full)
        self._tell(request_id, limited, shortage)
        return busy(limited, shortage)

    def end(self, request_id: str, tokens: int) -> None:
        """Count what a request has used, now that it has ended. A second time changes nothing."""
        if self._asked:
            self._leave(request_id, tokens)
        meters = self._held.pop(request_id, None)
        if meters is not None:
            now = self._moment()
            for meter in meters:
                meter.give_back(request_id, tokens, now)

    def rooms(self, caller: Caller, tags: Collection[str]) -> tuple[Room | None, Room | None]:
        """Return what is left of the tightest limit of requests, and of that of tokens; None: there is none.

        Requests a minute come before those that run at once.
        """
        limited = self.table.using(caller, tags)
        if not limited:
            return None, None
        minute: list[Room] = []
        parallel: list[Room] = []
        tokens: list[Room] = []
        now = self._moment()
        for one in limited:
            meter, limits = self._meter(one, now), one.limits
            meter.advance(now)
            reset = meter.window.reset(now.seconds)
            use = self._use(one, meter)
            if (limit := limits.requests_per_minute) is not None:
                minute.append(Room(limit=limit, left=max(0, limit - use.requests), wait=reset))
            if (limit := limits.parallel) is not None:
                wait = meter.expected_end(now.seconds) if meter.running else 0.0
                parallel.append(Room(limit=limit, left=max(0, limit - use.running), wait=wait))
            if (limit := limits.tokens_per_minute) is not None:
                tokens.append(Room(limit=limit, left=max(0, limit - use.tokens), wait=reset))
            if (limit := limits.tokens_per_day) is not None:
                left = max(0, limit - use.tokens_day)
                tokens.append(Room(limit=limit, left=left, wait=now.until_tomorrow))
        return _tightest(minute or parallel), _tightest(tokens)

    def used(self) -> list[UsedLimit]:
        """Return every limit of the configuration, and those of whoever asked lately, with what is used of it."""
        now, table = self._moment(), self.table
        meters = {
            (one.scope, one.name): self._new((one.scope, one.name), one.limits, now)
            for one in (table.named(scope, name) for scope, name in table.names())
        } | self._meters
        found: list[UsedLimit] = []
        for (scope, name), meter in meters.items():
            meter.advance(now)
            limits = meter.limits
            counts = (
                (Kind.REQUESTS, limits.requests_per_minute, meter.window.requests),
                (Kind.TOKENS, limits.tokens_per_minute, meter.window.tokens),
                (Kind.TOKENS_DAY, limits.tokens_per_day, meter.tokens_today),
                (Kind.PARALLEL, limits.parallel, meter.running),
            )
            found += [
                UsedLimit(scope=scope, name=name, kind=kind, used=used, limit=limit)
                for kind, limit, used in counts
                if limit is not None
            ]
        return found

    def _use(self, limited: Limited, meter: Meter) -> Use:
        """Return what is used of a limit: here, or by all gateways where that was seen a moment ago."""
        window = meter.window
        others = (self.shared and self._elsewhere(_claim(limited, Need()))) or _NO_USE
        return Use(
            requests=max(window.requests, others.requests),
            tokens=max(window.tokens, others.tokens),
            tokens_day=max(meter.tokens_today, others.tokens_day),
            running=max(meter.running, others.running),
        )

    def _by_others(self, limited: Limited, need: Need, full: Full) -> Shortage:
        """Return a shortage that the ledger has told, with the time until there is room."""
        now, kind = self._moment(), Kind(full.kind)
        meter = self._meter(limited, now)
        match kind:
            case Kind.TOKENS_DAY:
                wait = now.until_tomorrow
            case Kind.PARALLEL:
                wait = meter.expected_end(now.seconds)
            case _:
                wait = full.wait if full.wait is not None else 1.0
        if kind is Kind.REQUESTS:  # nothing but time makes room there, so until then nobody has to ask the ledger
            meter.close(full.limit, now.seconds + wait)
        of_tokens = kind in (Kind.TOKENS, Kind.TOKENS_DAY)
        wanted = need.prompt + need.answer if of_tokens else 1
        return Shortage(kind=kind, limit=full.limit, left=max(0, full.limit - full.used), wanted=wanted, wait=wait)

    def _shortage(self, limited: Limited, need: Need) -> Shortage | None:
        if not limited.limits.about_use:
            return None
        now = self._moment()
        return self._meter(limited, now).shortage(need, now)

    def _leave(self, request_id: str, tokens: int) -> None:
        meter = self._asked.pop(request_id, None)
        if meter is not None:
            meter.give_back(request_id, tokens, self._moment())

    def _tell(self, request_id: str, limited: Limited, shortage: Shortage) -> None:
        self._observer.on(LimitReached(request_id=request_id, scope=limited.scope, limit=shortage.kind.value))

    def _meter(self, limited: Limited, now: Moment) -> Meter:
        place = limited.scope, limited.name
        meter = self._meters.get(place)
        if meter is None:
            meter = self._meters[place] = self._new(place, limited.limits, now)
        meter.limits = limited.limits
        return meter

    def _new(self, place: tuple[Scope, str], limits: Limits, now: Moment) -> Meter:
        before = self._earlier.get(place, 0) if now.day == self._started and limits.tokens_per_day is not None else 0
        return Meter(limits, now.day, before)

    def _sweep(self, now: Moment) -> None:
        """Forget those who have not asked for a minute, each time that there are twice as many.

        INVARIANT: nobody holds a meter meanwhile that counts nothing yet: it would count where nobody looks.
        """
        if len(self._meters) < self._sweep_at:
            return
        for place in [place for place, meter in self._meters.items() if meter.idle(now)]:
            del self._meters[place]
        self._sweep_at = max(_MANY, 2 * len(self._meters))

    def _moment(self) -> Moment:
        now = self._now()
        tomorrow = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), now.tzinfo)
        return Moment(
            seconds=self._clock(), day=now.date(), until_tomorrow=max(1.0, tomorrow.timestamp() - now.timestamp())
        )


def _claim(limited: Limited, need: Need) -> Claim:
    limits = limited.limits
    return Claim(
        scope=limited.scope,
        name=limited.name,
        limits=limits,
        tokens=need.within(limits.tokens_per_minute),
        tokens_day=need.within(limits.tokens_per_day),
    )


def _nobody_else(claim: Claim) -> Use | None:
    """Return None: this gateway counts alone."""
    return None


def _tightest(rooms: list[Room]) -> Room | None:
    return min(rooms, key=lambda room: (room.left, -(room.wait or 0.0)), default=None)
