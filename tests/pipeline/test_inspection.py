"""Looking closer where a request would leave: names that only a model finds, and what happens when it can't look."""

import asyncio
from collections.abc import Sequence

import pytest

from gateway.core.finding import Doubt, Inspection
from gateway.core.labels import Label
from gateway.pipeline.inspection import Names, RequestInspection
from gateway.privacy import InspectionSettings, Inspector
from gateway.privacy.detectors.named_entities import Entity, NamePolicy
from tests.pipeline.house import House, chat

POLICY = """
version: 1
labels:
  default: internal
  tags: {public: public}
  findings: {person: sensitive, other: sensitive}
rules:
  - {name: cloud first, when: {tags: {in: [public]}}, prefer: [big, spare, home]}
otherwise: {prefer: [home, big]}
"""
MASKING = POLICY.replace("prefer: [big, spare, home]}", "mask: [contact.email, person], prefer: [big, spare, home]}")


class FakeRecognition:
    """Search that finds one name. It fails, or takes for ever, when told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.error: Exception | None = None
        self.endless = False

    async def entities(self, texts: Sequence[str], seconds: float) -> Sequence[Sequence[Entity]]:
        self.asked += texts
        if self.error is not None:
            raise self.error
        if self.endless:
            await asyncio.Event().wait()
        return [tuple(self._of(text)) for text in texts]

    def _of(self, text: str) -> list[Entity]:
        return [
            Entity(kind=kind, start=start, end=start + len(word), score=0.99)
            for kind, word in (("GIVEN_NAME", "Margaret"), ("SURNAME", "Sullivan"))
            if (start := text.find(word)) >= 0
        ]


@pytest.fixture(scope="module")
def inspector() -> Inspector:
    return Inspector(InspectionSettings())


@pytest.fixture
def recognition() -> FakeRecognition:
    return FakeRecognition()


def house_of(inspector: Inspector, recognition: FakeRecognition, policy: str = POLICY, **options: object) -> House:
    """Return a house that looks for names, too."""
    names = Names(recognition=recognition, policy=NamePolicy.FULL, **options)  # type: ignore[arg-type]
    return House(inspector, policy, names=names)


async def test_a_name_keeps_a_request_at_home(inspector: Inspector, recognition: FakeRecognition) -> None:
    """A request with a name is answered at home; the cloud that was the first choice gets nothing."""
    house = house_of(inspector, recognition)
    await house.ask("Write to Margaret Sullivan.", "public")
    await house.ask("Write to nobody.", "public")
    first, second = house.ledger.receipts
    assert (first.label, second.label) == (Label.SENSITIVE, Label.PUBLIC)
    assert "person.name" in {category for category, _ in first.categories}
    assert (len(house.home.asked), len(house.big.asked)) == (1, 1)


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ({"error": RuntimeError("the process died")}, "detector_failed:entities"),
        ({"endless": True}, "time"),
        ({}, "size"),
    ],
)
async def test_a_search_that_did_not_happen_is_a_doubt(
    inspector: Inspector, recognition: FakeRecognition, trouble: dict[str, object], reason: str
) -> None:
    """Where the search failed, was late or too long, the request stays at home, and its receipt says why."""
    for name, value in trouble.items():
        setattr(recognition, name, value)
    house = house_of(inspector, recognition, patience=0.01 if trouble else 60.0, characters=100_000 if trouble else 3)
    await house.ask("Nothing private at all.", "public")
    (receipt,) = house.ledger.receipts
    assert receipt.label is Label.SENSITIVE
    assert reason in receipt.doubts
    assert not house.big.asked
    assert not house.spare.asked


async def test_nobody_looks_where_nothing_would_leave(inspector: Inspector, recognition: FakeRecognition) -> None:
    """What stays at home anyway costs no search, and a broken search does not stand in its way."""
    recognition.error = RuntimeError("the process died")
    house = house_of(inspector, recognition, POLICY.replace("[home, big]", "[home]"))
    assert await house.ask("Write to Margaret Sullivan.") == "Hello you"
    assert recognition.asked == []
    assert house.ledger.receipts[0].label is Label.INTERNAL


async def test_a_fallback_into_a_cloud_counts(inspector: Inspector, recognition: FakeRecognition) -> None:
    """Home is the first choice and the cloud the second: the second is only open if nothing was found."""
    house = house_of(inspector, recognition, POLICY.replace("default: internal", "default: public"))
    await house.ask("Write to Margaret Sullivan.")
    assert recognition.asked
    (receipt,) = house.ledger.receipts
    assert receipt.permitted == ("home",)


async def test_a_masked_document_is_searched_again(inspector: Inspector, recognition: FakeRecognition) -> None:
    """Names go out under pseudonyms; what the search finds afterwards would keep the original at home."""
    house = house_of(inspector, recognition, MASKING)
    await house.ask("Ask Margaret Sullivan about it.", "public")
    (sent,) = house.big.asked
    assert "Margaret" not in str(sent.document)
    sent_text = sent.document["messages"][0]["content"]
    assert sent_text in recognition.asked


async def test_keys_and_metadata_are_searched_too(inspector: Inspector, recognition: FakeRecognition) -> None:
    """Names are searched in every string of the document, wherever it stands."""
    house = house_of(inspector, recognition)
    await house.embed("Ask Margaret Sullivan.", "public")
    assert "Ask Margaret Sullivan." in recognition.asked
    assert not house.big.asked


class CountingInspector:
    """Inspector that counts, and has a doubt when told to."""

    def __init__(self) -> None:
        self.count = 0
        self.doubts: tuple[Doubt, ...] = ()

    def inspect(self, document: object, media: object = frozenset(), *, letters: bool = True) -> Inspection:
        """Count."""
        self.count += 1
        return Inspection(doubts=self.doubts, strings=self.count)


async def test_the_same_request_is_inspected_once() -> None:
    """As long as it lives; an equal one is another one."""
    inspector = CountingInspector()
    inspection = RequestInspection(inspector)
    (_, one), (_, other) = chat("Hello"), chat("Hello")
    assert [(await inspection.examine(request, 10)).strings for request in (one, one, other, one)] == [1, 1, 2, 1]


async def test_what_could_not_be_looked_at_is_looked_at_again() -> None:
    """A doubt is not remembered: a limit of time that was passed once may not be the next time."""
    inspector = CountingInspector()
    inspector.doubts = (Doubt(reason="time", path="$"),)
    inspection = RequestInspection(inspector)
    _, request = chat("Hello")
    assert (await inspection.examine(request, 10)).doubts
    inspector.doubts = ()
    assert [(await inspection.examine(request, 10)).doubts for _ in range(2)] == [(), ()]
    assert inspector.count == 2
