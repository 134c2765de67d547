"""What would happen with a text: the whole decision about it. Nothing is sent, nothing is stored."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from gateway.console.door import require_administrator
from gateway.console.views.view import Ask, Shown
from gateway.core.errors import BadRequest
from gateway.core.request import Caller
from gateway.policy import Explanation
from gateway.policy.evaluation.explanation import FindingLine
from gateway.server.inbound import parse_tags

_LONGEST = 200_000  # characters
_TEXT = "$.messages[0].content"  # where a text stands in the request that is made of it


class Explainer(Protocol):
    """Maker of explanations."""

    async def explain(self, caller: Caller, body: bytes, tags: frozenset[str]) -> Explanation:
        """Return the whole decision about a chat request, and send it nowhere."""


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of the text as it was typed, and the categories that were found there."""

    text: str
    categories: tuple[str, ...] = ()


def pieces(text: str, findings: Sequence[FindingLine]) -> list[Piece]:
    """Return the text, cut where findings begin and end; those that overlap are one piece."""
    found = [one for one in findings if one.path == _TEXT and 0 <= one.start < one.end <= len(text)]
    result: list[Piece] = []
    done = 0
    for start, end in _joined(found):
        if start > done:
            result.append(Piece(text=text[done:start]))
        inside = sorted({one.category for one in found if start <= one.start and one.end <= end})
        result.append(Piece(text=text[start:end], categories=tuple(inside)))
        done = end
    return [*result, Piece(text=text[done:])] if done < len(text) else result


def _joined(found: Sequence[FindingLine]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for one in sorted(found, key=lambda one: one.start):
        if joined and one.start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], one.end))
        else:
            joined.append((one.start, one.end))
    return joined


class Trial:
    """The view with a field for a text, and what its form does."""

    def __init__(self, explainer: Explainer, models: Sequence[str]) -> None:
        self._explainer = explainer
        self._models = tuple(models)

    async def show(self, ask: Ask) -> Shown:
        """Return the empty form."""
        return self._page("", self._models[0] if self._models else "", "")

    async def act(self, ask: Ask) -> Shown:
        """Explain the decision about the text.

        Raises:
            BadRequest: The text is too long, or the tags can't be read.
            Forbidden: The key is not an administrator's.
            Unauthorized: A key is needed.
        """
        caller = require_administrator(ask.visitor)
        text = ask.form.get("text", "").replace("\r\n", "\n")
        model, tags = ask.form.get("model", "auto"), ask.form.get("tags", "")
        if len(text) > _LONGEST:
            raise BadRequest("The text is too long for this page.", code="text_too_long")
        body = msgspec.json.encode({"model": model, "messages": [{"role": "user", "content": text}]})
        why = await self._explainer.explain(caller, body, parse_tags(tags))
        return self._page(text, model, tags, why)

    def _page(self, text: str, model: str, tags: str, why: Explanation | None = None) -> Shown:
        values = {
            "text": text,
            "model": model,
            "tags": tags,
            "models": self._models,
            "why": why,
            "pieces": pieces(text, why.findings) if why is not None else [],
            "categories": sorted({one.category for one in why.findings}) if why is not None else [],
        }
        return Shown(template="trial.html", title="What would happen", values=values)
