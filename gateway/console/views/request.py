"""One request and why: what was found, which rule chose, which targets were left out and for what reason."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from gateway.console.views.view import Ask, Shown
from gateway.core.errors import NotFound
from gateway.core.labels import Label
from gateway.ledger.reading.history import PastDecision
from gateway.policy import Explanation, Policy, evidence_from_facts, explain


class Decisions(Protocol):
    """Source of past decisions."""

    def one(self, request_id: str) -> PastDecision | None:
        """Return everything about one request."""


class RequestDetail:
    """The view of one request. What it rests on was recorded; the policy decides on it once more, to say why."""

    def __init__(self, decisions: Decisions, policy: Callable[[], Policy]) -> None:
        self._decisions = decisions
        self._policy = policy

    async def show(self, ask: Ask) -> Shown:
        """Return the page.

        Raises:
            NotFound: The ledger has no such request.
        """
        found = await asyncio.to_thread(self._decisions.one, ask.path["id"])
        if found is None:
            raise NotFound("The ledger has no such request. It may have been removed with age.", code="not_found")
        policy = self._policy()
        why = await asyncio.to_thread(_why, found, policy)
        masked = dict(found.request.masked)
        return Shown(
            template="request.html",
            title="Why",
            values={
                "one": found,
                "row": found.request,
                "label": Label(found.request.label).word,
                "findings": [(name, count, masked.get(name, 0)) for name, count in found.request.categories],
                "why": why,
                "same_policy": policy.digest == found.policy_digest,
                "digest": policy.digest,
            },
        )


def _why(found: PastDecision, policy: Policy) -> Explanation | None:
    """Return the decision in full, as the policy in force takes it on what was recorded; None: that can't be read."""
    try:
        return explain(evidence_from_facts(found.facts), policy, masks=bool(found.request.masked))
    except (ValueError, KeyError):
        return None
