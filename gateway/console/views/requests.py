"""Past requests: where each went, how it ended and what it cost; searched by outcome, label, target and key."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol
from urllib.parse import urlencode

from gateway.console.views.view import Ask, Shown
from gateway.core.labels import Label
from gateway.core.record import Outcome
from gateway.ledger.reading.history import RUNNING, PastRequest, Search

COUNT = 50
OUTCOMES = (*(outcome.value for outcome in Outcome), RUNNING)
FILTERS = ("outcome", "label", "target", "key", "user", "category")


class Requests(Protocol):
    """Source of past requests."""

    def find(self, search: Search) -> list[PastRequest]:
        """Return requests, the newest first."""


class RequestList:
    """The view of past requests."""

    def __init__(
        self,
        requests: Requests,
        *,
        targets: Sequence[str],
        keys: Callable[[], Sequence[str]],
        recorded: Callable[[str], str | None] = lambda user: user,
    ) -> None:
        """Keep the parts. `recorded` returns how a user stands in the record."""
        self._recorded = recorded
        self._requests = requests
        self._targets = tuple(targets)
        self._keys = keys

    async def show(self, ask: Ask) -> Shown:
        """Return the page."""
        asked = {name: ask.query.get(name, "") for name in FILTERS}
        before = ask.query.get("before", "")
        search = search_of(asked, before, self._recorded)
        found = await asyncio.to_thread(self._requests.find, search)
        more = len(found) > COUNT
        kept = {name: value for name, value in asked.items() if value}
        last = found[COUNT - 1].seq if more else 0
        return Shown(
            template="requests.html",
            title="Requests",
            values={
                "rows": found[:COUNT],
                "asked": asked,
                "outcomes": OUTCOMES,
                "labels": [label.word for label in Label],
                "targets": self._targets,
                "keys": sorted(self._keys()),
                "labelled": {int(label): label.word for label in Label},
                "older": "/console/requests?" + urlencode(kept | {"before": last}) if more else None,
                "newest": "/console/requests?" + urlencode(kept) if before else None,
            },
        )


def search_of(asked: dict[str, str], before: str, recorded: Callable[[str], str | None] = lambda user: user) -> Search:
    """Return what is looked for. A word that means nothing finds everything, as an empty one does."""
    user = asked.get("user", "").strip()[:200]
    words = {label.word: int(label) for label in Label}
    return Search(
        outcome=asked["outcome"] if asked["outcome"] in OUTCOMES else "",
        label=words.get(asked["label"]),
        target=asked["target"][:200],
        key=asked["key"][:200],
        users=tuple({user, recorded(user) or user}) if user else (),
        category=asked["category"][:200],
        before=int(before) if before.isdecimal() and len(before) < 18 else None,
        count=COUNT + 1,
    )
