"""What a further search reads of a request that the judge has sorted; masked ones are sorted as the judge read them."""

import base64
from collections.abc import Sequence

import pytest

from gateway.core.document import freeze_object
from gateway.core.finding import Finding, Inspection
from gateway.core.request import ChatRequest, Dialect, Message
from gateway.pipeline.inspection import Names, RequestInspection, Sensitivity, Topics
from gateway.pipeline.judged_texts import texts_of
from gateway.privacy.detectors.named_entities import Entity
from tests.pipeline.test_inspection_sensitivity import Asked
from tests.privacy.sensitivity.test_judge import CLEAN_BEFORE, Encoder, judge

CLEAN = f"{CLEAN_BEFORE}The number -9 stands in this very sentence, and so it is long enough to be read alone."
MASKED = f"{CLEAN_BEFORE}Write to k47@mail.invalid about -9 sentences that are long enough to be read alone here."
BLANKS = {"k47@mail.invalid": "[CONTACT]"}


def said(*texts: str) -> ChatRequest:
    """Return a request with these messages."""
    document = freeze_object({"model": "auto", "messages": [{"role": "user", "content": text} for text in texts]})
    messages = tuple(Message(role="user", text=text) for text in texts)
    return ChatRequest(dialect=Dialect.OPENAI, model="auto", document=document, messages=messages)


class Searching:
    """Search that takes two words for names, and notes what it reads."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.read: list[str] = []

    async def entities(self, texts: Sequence[str], seconds: float) -> Sequence[Sequence[Entity]]:
        self.read += texts
        return [
            [
                Entity(start, start + len(name), "GIVEN_NAME", 0.8)
                for name in self.names
                if (start := text.find(name)) >= 0
            ]
            for text in texts
        ]


def looking(search: Searching, topics: Topics | None = None) -> RequestInspection:
    """Return an inspection that judges, searches for names, and asks a model about topics where one is given."""
    sensitivity = Sensitivity(judge=judge(Encoder()))
    return RequestInspection(None, Names(recognition=search), topics, None, sensitivity)  # type: ignore[arg-type]


@pytest.mark.parametrize("beside", ["", f" {MASKED}"], ids=["another text", "the same text"])
async def test_a_text_that_is_nobodys_is_not_searched_because_another_was_masked(beside: str) -> None:
    """An agent's own instructions count after masking as they did before; what was masked is always searched."""
    request = said(f"{CLEAN}{beside}", MASKED)
    search = Searching()
    one = looking(search)
    await one.named(request, await one.weighed(request, Inspection(), BLANKS), BLANKS)
    assert MASKED in search.read
    assert (CLEAN in search.read) is False
    assert (f"{CLEAN}{beside}" in search.read) is bool(beside)


async def test_a_model_is_asked_about_what_was_masked_alone() -> None:
    """Of texts that the judge is sure of, those with pseudonyms are asked about; a long request has no other doubt."""
    model = Asked()
    request = said(CLEAN, MASKED)
    one = looking(Searching(), Topics(judge=model, characters=len(MASKED)))
    seen = await one.judged(request, await one.weighed(request, Inspection(), BLANKS), BLANKS)
    assert (model.paths, seen.doubts) == (["$.messages[1].content"], ())


MAIL_OF_THE_MASK = Finding(
    detector="email", category="contact.email", path="$.messages[0].content",
    start=MASKED.index("k47"), end=MASKED.index(" about"), confidence=1.0,
)  # fmt: skip
REAL_MAIL = Finding(
    detector="email", category="contact.email", path="$.messages[1].content", start=0, end=4, confidence=1.0
)


@pytest.mark.parametrize(
    ("found", "names", "recorded"),
    [
        ([MAIL_OF_THE_MASK], ["sentences"], []),
        ([MAIL_OF_THE_MASK, REAL_MAIL], ["k47"], []),
        ([MAIL_OF_THE_MASK, REAL_MAIL], ["k47", "sentences"], ["sentences"]),
    ],
    ids=["a name beside a pseudonym", "a pseudonym beside an address", "a name, behind a pseudonym, beside an address"],
)
async def test_a_pseudonym_makes_no_record_and_hides_none(
    found: list[Finding], names: list[str], recorded: list[str]
) -> None:
    """What stands for an address is nobody's contact data, and what stands for a name nobody's name."""
    request = said(MASKED, "x@y.es")
    named = await looking(Searching(*names)).named(request, Inspection(findings=tuple(found)), BLANKS)
    records = [one for one in named.findings if one.category == "person.record"]
    assert [MASKED[one.start : one.end] for one in records] == recorded


@pytest.mark.parametrize("kind", ["application/pdf", "application/zip", "text/csv"])
def test_base64_of_what_was_read_whole_is_no_language(kind: str) -> None:
    """Of any kind of file, however short; what else stands in its part is read, and so are files that were not read."""
    address = f"data:{kind};base64,{base64.b64encode(b'the words of a file').decode()}"
    part = {"type": "file", "file": {"file_data": address, "filename": "dGhlIHdvcmRz", "note": f"{address} and words"}}
    document = freeze_object({"model": "auto", "messages": [{"role": "user", "content": [part, part]}]})
    request = ChatRequest(dialect=Dialect.OPENAI, model="auto", document=document, messages=())
    first, second = (f"$.messages[0].content[{number}]" for number in range(2))
    texts = texts_of(request, (first,))
    assert (f"{first}.file.file_data", address) not in texts
    assert (f"{second}.file.file_data", address) in texts
    assert (f"{first}.file.filename", "dGhlIHdvcmRz") in texts
    assert (f"{first}.file.note", f"{address} and words") in texts
