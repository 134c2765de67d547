"""Inspection as the gateway has it, tier by tier, through the pipeline's own one way in."""

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from gateway.core.document import JsonObject, freeze_object
from gateway.core.labels import Label
from gateway.core.request import ChatRequest, Dialect
from gateway.pipeline.inspection import Names, RequestInspection, Sensitivity
from gateway.pipeline.inspection_threads import InspectionThreads
from gateway.privacy import InspectionSettings, Inspector
from gateway.privacy.categories import DEFAULT_LABELS
from gateway.privacy.detectors.named_entities import Entity, NamePolicy, joined
from gateway.privacy.sensitivity.judge import Judge, Mode
from gateway.privacy.sensitivity.units import units

AUTHORS = frozenset({"contact.email"})  # source files name their authors: no false alarm of anybody
TIER0, JUDGE, STRICT, NAMES, ALL, ANY = (
    "tier 0", "tier 0 + judge", "tier 0 + judge, strict", "tier 0 + names", "all", "all, any name",
)  # fmt: skip
_TIERS: dict[str, tuple[Mode, NamePolicy | None]] = {
    TIER0: (Mode.OFF, None),
    JUDGE: (Mode.BALANCED, None),
    STRICT: (Mode.STRICT, None),
    NAMES: (Mode.OFF, NamePolicy.FULL),
    ALL: (Mode.BALANCED, NamePolicy.FULL),
    ANY: (Mode.BALANCED, NamePolicy.ANY),
}
_SECONDS, _CHARACTERS = 600.0, 100_000_000

Flags = Callable[[str, bool], bool]  # the text; whether addresses of mail don't count
Recognise = Callable[[str], list[Entity]]


def nothing() -> None:
    """Do nothing: there is nothing to forget."""


class System(msgspec.Struct, frozen=True, kw_only=True):
    """A column of the table."""

    name: str
    flags: Flags
    forget: Callable[[], None] = nothing  # what is remembered of texts, so that the next one costs what a new one costs


class Absent(msgspec.Struct, frozen=True, kw_only=True):
    """Why a column is missing."""

    name: str
    why: str


def chat(text: str) -> JsonObject:
    """Return the document of a request with one message."""
    return freeze_object({"messages": [{"role": "user", "content": text}]})


class InProcess(msgspec.Struct, frozen=True):
    """Search for names in this process."""

    recognise: Recognise

    async def entities(self, texts: Sequence[str], seconds: float = _SECONDS) -> list[list[Entity]]:
        """Return the entities of each text, however long it takes."""
        return [self.recognise(text) for text in texts]


class Sight:
    """What each column's tiers see of a document. A tier looks at a text once, however many columns ask."""

    def __init__(self) -> None:
        self._loop = asyncio.Runner()
        self._threads = InspectionThreads()
        self._recognise = rampart()
        self.has_names = self._recognise is not None
        self.forget()

    def forget(self) -> None:
        """Forget every text."""
        inspector = Inspector(InspectionSettings(seconds=_SECONDS))
        recognition = InProcess(lru_cache(20_000)(self._recognise or (lambda _: [])))
        self._judge = Judge(seconds=_SECONDS)
        judges = {Mode.BALANCED: self._judge, Mode.STRICT: Judge(Mode.STRICT, seconds=_SECONDS)}
        self._columns = {
            name: RequestInspection(
                inspector,
                Names(recognition=recognition, policy=names, seconds=_SECONDS, characters=_CHARACTERS)
                if names is not None
                else None,
                threads=self._threads,
                sensitivity=Sensitivity(judge=judges[mode], characters=_CHARACTERS) if mode in judges else None,
            )
            for name, (mode, names) in _TIERS.items()
        }

    def kept(self, document: JsonObject, column: str, ignored: frozenset[str] = frozenset()) -> bool:
        """Tell whether a column's tiers keep a document at home: whether they find or doubt anything."""
        request = ChatRequest(dialect=Dialect.OPENAI, model="", document=document, messages=())
        seen = self._loop.run(self._columns[column].examine_fully(request, 0))
        counted = (one for one in seen.findings if DEFAULT_LABELS.get(one.category) is not Label.INTERNAL)
        return bool(seen.doubts) or any(finding.category not in ignored for finding in counted)

    def topics(self, text: str) -> set[str]:
        """Return the topics that the judge finds in a text."""
        [unit] = units([("$", text)])
        return {finding.category for finding in self._judge.findings(unit, self._judge.judge([unit.text])[0])}

    def probability(self, text: str) -> float:
        """Return how probably the worst part of a text is sensitive."""
        return max((sight.probability for sight in self._judge.judge([text])[0].sights), default=0.0)


def own_systems(only: frozenset[str] = frozenset()) -> Iterator[System | Absent]:
    """Yield a column for tier 0, and for what each further tier adds."""
    names = [name for name in (TIER0, JUDGE, STRICT, NAMES, ALL, ANY) if not only or name in only]
    sight = Sight() if names else None
    for name in names:
        if sight is not None and (sight.has_names or name not in {NAMES, ALL, ANY}):
            yield _column(sight, name)
        else:
            yield Absent(name=name, why="the extra `ner` is not installed")


def _column(sight: Sight, name: str) -> System:
    def flags(text: str, authors: bool) -> bool:
        return sight.kept(chat(text), name, AUTHORS if authors else frozenset())

    return System(name=name, flags=flags, forget=sight.forget)


def rampart() -> Recognise | None:
    """Return the model of names in this process; None where it is not installed."""
    from gateway.ner import installed

    if not installed():
        return None
    from gateway.ner.model import Recogniser
    from gateway.ner.weights import int8_model

    state = os.environ.get("ADUANA_STATE_DIR") or Path.home() / ".local/state/aduana"
    folder = Path(state) / "ner" if os.access(state, os.W_OK) else Path(tempfile.mkdtemp())
    model = Recogniser(int8_model(folder), 1)
    return lambda text: joined([Entity(*piece) for piece in model.recognise([text])[0]], text)
