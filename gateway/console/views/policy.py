"""The policy in force with its proofs, and what a changed one would have done with the requests of last month."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Protocol

import msgspec

from gateway.console.door import require_administrator
from gateway.console.views.view import Ask, Shown
from gateway.core.errors import BadRequest, ConfigurationError
from gateway.core.record import Recorded
from gateway.policy import DEFAULT_POLICY_NAME, DEFAULT_POLICY_TEXT, Policy
from gateway.policy.proof.verdict import PolicyCheck, Verdict
from gateway.policy.situations.replay import Totals, replay

_MONTH = 30 * 86_400
MOST_REQUESTS = 20_000
LONGEST_SECONDS = 8.0
_TOGETHER = 20  # decisions between two pauses, in which answers that stream go on
_PAUSE_SECONDS = 0.001
_LONGEST_TEXT = 500_000


class Policies(Protocol):
    """Owner of the policy in force."""

    current: Policy

    @property
    def texts(self) -> Mapping[str, str]:
        """Return the text of each file, by its path."""

    async def examined(self) -> PolicyCheck:
        """Return the proofs of the policy in force."""

    async def tried(self, texts: Mapping[str, str]) -> tuple[Policy, PolicyCheck]:
        """Return what a policy of these texts would be, and its proofs."""


Past = Callable[[float, int], Iterator[Recorded]]
"""Returns past requests since a Unix time, the newest first, at most so many."""


class Trying(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of trying a changed policy."""

    problems: tuple[str, ...] = ()  # why it does not load
    check: PolicyCheck | None = None
    totals: Totals | None = None
    found: int = 0  # requests of the month, at most MOST_REQUESTS
    refused: tuple[Verdict, ...] = ()  # claims that are not proved


class PolicyView:
    """The view of the policy, and what the form with a changed one does."""

    def __init__(self, policies: Policies, past: Past, *, wall: Callable[[], float] = time.time) -> None:
        self._policies = policies
        self._past = past
        self._wall = wall

    async def show(self, ask: Ask) -> Shown:
        """Return the policy in force with its proofs."""
        return await self._page(self._texts(), None)

    async def act(self, ask: Ask) -> Shown:
        """Decide last month's requests once more, under the policy that the form has.

        Raises:
            BadRequest: A text is too long.
            Forbidden: The key is not an administrator's.
            Unauthorized: A key is needed.
        """
        require_administrator(ask.visitor)
        texts = {
            path: ask.form.get(f"text{number}", text).replace("\r\n", "\n")
            for number, (path, text) in enumerate(self._texts().items())
        }
        if sum(map(len, texts.values())) > _LONGEST_TEXT:
            raise BadRequest("The text is too long for this page.", code="text_too_long")
        return await self._page(texts, await self._tried(texts))

    async def _page(self, texts: Mapping[str, str], trying: Trying | None) -> Shown:
        policy = self._policies.current
        return Shown(
            template="policy.html",
            title="Policy",
            values={
                "policy": policy,
                "labels": sorted(policy.labels.tags.items()),
                "findings": sorted(policy.labels.findings.items()),
                "check": await self._policies.examined(),
                "texts": [(PurePath(path).name, text) for path, text in texts.items()],
                "trying": trying,
                "most": MOST_REQUESTS,
            },
        )

    def _texts(self) -> Mapping[str, str]:
        return self._policies.texts or {DEFAULT_POLICY_NAME: DEFAULT_POLICY_TEXT}

    async def _tried(self, texts: Mapping[str, str]) -> Trying:
        try:
            policy, check = await self._policies.tried(texts)
        except ConfigurationError as error:
            return Trying(problems=error.problems)
        totals, found = await asyncio.to_thread(self._replayed, policy)
        refused = tuple(verdict for verdict in check.proof.verdicts if verdict.outcome != "proved")
        return Trying(check=check, totals=totals, found=found, refused=refused)

    def _replayed(self, policy: Policy) -> tuple[Totals, int]:
        rows: Sequence[Recorded] = list(self._past(self._wall() - _MONTH, MOST_REQUESTS))
        return replay(rows, policy, go_on=_gently(time.monotonic() + LONGEST_SECONDS)), len(rows)


def _gently(end: float) -> Callable[[], bool]:
    """Return what says whether there is time left, and lets others work in between."""
    count = 0

    def go_on() -> bool:
        nonlocal count
        count += 1
        if count % _TOGETHER == 0:
            time.sleep(_PAUSE_SECONDS)
        return time.monotonic() < end

    return go_on
