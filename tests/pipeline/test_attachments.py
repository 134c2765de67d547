"""Attachments in the life of a request: what is read raises labels and joins the memory; a setting lets it leave."""

import asyncio
import base64
from typing import Any

import pytest

from gateway.core.attachment import FileKind, Reading
from gateway.core.document import encode
from gateway.core.errors import Unavailable
from gateway.core.events import AttachmentRead
from gateway.core.request import ChatRequest, Media
from gateway.core.target import Capability
from gateway.pipeline.attachments import AttachmentSettings
from gateway.privacy import Inspector
from tests.pipeline.attachments.reader import (
    PDF,
    PHOTO,
    SCAN,
    SOUND,
    FakeReader,
    asking,
    file_part,
    pages,
    picture_part,
    url,
)
from tests.pipeline.memory_world import IBAN, OTHER, POLICY, STORY, World, chat

MAY_LEAVE = AttachmentSettings(may_leave=frozenset({FileKind.PDF, FileKind.PICTURE}))
CLEAN = pages("Our shop opens at nine.", "Bread is baked every morning.")
TELLING = pages("Our shop opens at nine.", f"Pay to {IBAN} please.")


@pytest.fixture(scope="module")
def inspector() -> Inspector:
    return Inspector(hyperscan=False)


def world(inspector: Inspector, reading: Reading | None = None, **house: Any) -> World:
    reader = FakeReader({PDF: CLEAN if reading is None else reading, PHOTO: pages("A sign.", kind=FileKind.PICTURE)})
    return World(inspector, **{"reader": reader, **house})


async def test_an_attachment_stays_at_home_whatever_was_read_of_it(inspector):
    """Without the setting the doubt stands: a clean file, read whole, keeps its request at home as before."""
    assert not await world(inspector).leaves(asking(file_part(PDF)))


@pytest.mark.parametrize(
    ("part", "reading"),
    [
        (file_part(PDF), CLEAN),
        (picture_part(PDF), pages("A sign.", kind=FileKind.PICTURE)),
        (file_part(PDF), pages(kind=FileKind.PDF)),
    ],
)
async def test_what_is_whole_and_clean_may_leave_where_the_owner_lets_it(inspector, part, reading):
    """With the setting, a file of a named kind that was read whole and has nothing in it leaves as it came."""
    asked = world(inspector, reading, attachments=MAY_LEAVE)
    assert await asked.leaves(asking(part))
    (clearance,) = asked.house.big.asked
    assert base64.b64encode(PDF) in encode(clearance.document)


@pytest.mark.parametrize(
    ("body", "reading"),
    [
        (asking(file_part(PDF)), TELLING),
        (asking(file_part(PDF)), pages("Our shop.", whole=False, reasons=("low_confidence",))),
        (asking(file_part(PDF)), pages("Our shop.", whole=True, reasons=("photograph",))),
        (asking(file_part(PDF)), Reading(kind=FileKind.PDF, reasons=("encrypted",))),
        (asking(file_part(PDF)), pages("Our shop.", kind=FileKind.SPREADSHEET)),
        (asking(file_part(PDF), file_part(SCAN)), CLEAN),
        (asking(file_part(PDF), {"type": "image_url", "image_url": {"url": "http://10.0.0.2/a.png"}}), CLEAN),
        (asking({"type": "file", "file": {"file_data": url(PDF), "file_id": "file-1"}}), CLEAN),
        (asking(text=f"See ![]({url(PDF)})"), CLEAN),
        (asking(file_part(PDF), text=f"Pay to {IBAN}"), CLEAN),
        (asking(file_part(PDF), picture_part(PHOTO + b"!")), CLEAN),
    ],
    ids=["found", "partly", "photograph", "encrypted", "kind", "another unread", "address", "two ways", "in text",
         "text", "unknown picture"],
)  # fmt: skip
async def test_whatever_speaks_against_it_keeps_it_at_home(inspector, body, reading):
    """With the setting on, anything found, unread, of another kind or beside it keeps the whole request at home."""
    assert not await world(inspector, reading, attachments=MAY_LEAVE).leaves(body)


@pytest.mark.parametrize("name", ["content[1].x", "content[1].file", "content[1].file.file_data", "content[1][0]"])
@pytest.mark.parametrize("value", [url(SCAN), {"file_data": url(SCAN)}])
async def test_a_clean_file_answers_for_no_field_with_the_name_of_its_place(inspector, name, value):
    """What nobody has read stays at home, also in a field whose name reads like a place inside a clean part."""
    inside, beside = asking(file_part(PDF)), asking(file_part(PDF))
    inside["messages"][0][name] = value
    beside[f"messages[0].{name}"] = value
    for body in (inside, beside):
        assert not await world(inspector, attachments=MAY_LEAVE).leaves(body)


async def test_reading_raises_where_the_policy_accepts_the_doubt(inspector):
    """Where a policy lets files leave, what was found in one still keeps it at home."""
    accepts = POLICY.replace("labels:\n", "labels:\n  doubts: {file: public}\n", 1)
    assert await world(inspector, CLEAN, policy=accepts).leaves(asking(file_part(PDF)))
    assert not await world(inspector, TELLING, policy=accepts).leaves(asking(file_part(PDF)))


async def test_without_a_reader_everything_is_as_before(inspector):
    """Where nobody reads files, the setting opens nothing."""
    assert not await world(inspector, reader=None, attachments=MAY_LEAVE).leaves(asking(file_part(PDF)))


async def test_the_closer_look_sees_what_attachments_say(inspector):
    """Names, topics and the judge look at what was read as at any text: what they see there keeps at home."""
    from gateway.core.finding import Finding
    from gateway.pipeline.inspection import Topics
    from gateway.privacy.topic_questions import Judgement

    class Illness:
        async def judgement(self, texts: Any) -> Judgement:
            seen = [path for path, text in texts if "baked" in text]
            return Judgement(findings=tuple(
                Finding(detector="topics", category="topic.health", path=path, start=0, end=5, confidence=1.0)
                for path in seen
            ))  # fmt: skip

    asked = world(inspector, attachments=MAY_LEAVE, topics=Topics(judge=Illness()))
    explanation = await asked.explained(asking(file_part(PDF)))
    assert any("page 2: topic.health" in step for step in explanation.label_steps)
    assert not await asked.leaves(asking(file_part(PDF)))


async def test_an_explanation_reads_and_tells_each_page(inspector):
    """Explaining always reads; it names the file, its pages and what was found where, and no content."""
    explanation = await world(inspector, TELLING).explained(asking(file_part(PDF)))
    assert 'attachment $.messages[0].file "report.pdf": pdf, 2 pages, read: whole; found page 2: financial.iban' in (
        explanation.label_steps
    )
    assert IBAN.encode() not in explanation.json()


async def settled(asked: World) -> None:
    """Wait until nothing is read behind an answer any more."""
    await asked.house.pipeline.close()


async def test_what_stays_at_home_is_read_behind_the_answer(inspector):
    """A request that stays at home is answered while its file is still being read, and nothing waits for it."""
    reader = FakeReader({PDF: TELLING})
    reader.gate = asyncio.Event()
    asked = world(inspector, reader=reader)
    async with asyncio.timeout(20):
        assert not await asked.leaves(asking(file_part(PDF)))
    reader.gate.set()
    await settled(asked)
    assert reader.asked == [PDF]
    assert [event.outcome for event in asked.house.heard.events if isinstance(event, AttachmentRead)] == ["whole"]


@pytest.mark.parametrize("reading", [pages(f"{STORY} {IBAN}"), pages(STORY, whole=False, reasons=("time",))])
async def test_what_a_sensitive_file_says_stays_at_home_as_plain_text(inspector, reading):
    """A passage of a file that was found sensitive, or not read whole, is known again when it is quoted later."""
    asked = world(inspector, reading)
    assert await asked.leaves(chat(f"Translate: {STORY}"))
    asked.restart()
    asked.store.known.clear()
    await asked.leaves(asking(file_part(PDF)))
    await settled(asked)
    assert not await asked.leaves(chat(f"Translate: {STORY}"))
    assert await asked.leaves(chat(f"Translate: {OTHER}"))


async def test_what_a_clean_file_says_may_be_pasted(inspector):
    """A file that is kept at home only because it is a file, and was read whole and clean, taints no text."""
    asked = world(inspector, pages(STORY))
    await asked.leaves(asking(file_part(PDF)))
    await settled(asked)
    assert await asked.leaves(chat(f"Translate: {STORY}"))


async def test_under_a_tag_everything_that_a_file_says_is_remembered(inspector):
    """A tag makes all of a request sensitive, and so what its clean file says."""
    asked = world(inspector, pages(STORY))
    await asked.leaves(asking(file_part(PDF)), "health")
    await settled(asked)
    assert not await asked.leaves(chat(f"Translate: {STORY}"))


async def test_a_request_waits_for_what_its_key_has_sent_before(inspector):
    """A text that quotes a file does not leave while that file is still being read."""
    reader = FakeReader({PDF: pages(f"{STORY} {IBAN}")})
    reader.gate = asyncio.Event()
    asked = world(inspector, reader=reader)
    await asked.leaves(asking(file_part(PDF)))
    quoting = asyncio.create_task(asked.leaves(chat(f"Translate: {STORY}")))
    await asyncio.sleep(0)
    reader.gate.set()
    assert not await quoting


async def test_the_same_file_is_known_again_in_other_dress(inspector):
    """The bytes of a file that was sensitive are known in another conversation and another encoding."""
    accepts = POLICY.replace("labels:\n", "labels:\n  doubts: {file: public, unreadable_blob: public}\n", 1)
    asked = world(inspector, CLEAN, policy=accepts)
    await asked.leaves(asking(file_part(PDF)), "health")
    await settled(asked)
    percent = "data:application/pdf," + "".join(f"%{byte:02x}" for byte in PDF)
    other = {"type": "file", "file": {"filename": "b.pdf", "file_data": percent}}
    assert not await asked.leaves(asking(other, text="And this?"), key="app")


async def test_a_file_that_quotes_what_was_private_stays_at_home(inspector):
    """What a file says is looked up in the memory like any text."""
    asked = world(inspector, pages(STORY), attachments=MAY_LEAVE)
    assert await asked.leaves(asking(file_part(PDF)))
    asked.restart()
    await asked.leaves(chat(STORY), "health")
    assert not await asked.leaves(asking(file_part(PDF)))


TEXT_ONLY = {
    "capabilities": frozenset({Capability.TOOLS}),
    "given_as_text": frozenset(Media),
}


def given(asked: World) -> str:
    """Return what the target at home was asked."""
    (request,) = asked.house.home.asked
    assert isinstance(request, ChatRequest)
    assert not request.media
    return request.messages[0].text


@pytest.mark.parametrize(
    ("reading", "part", "expected"),
    [
        (
            pages("One.", "Two."), file_part(PDF),
            'What does it say?\n[File "report.pdf", page 1, read by this gateway:]\nOne.\n\n'
            '[File "report.pdf", page 2, read by this gateway:]\nTwo.\n\n[End of file "report.pdf", read whole.]',
        ),
        (
            pages("One.", whole=False, reasons=("low_confidence",)), picture_part(PDF),
            "What does it say?\n[The picture, page 1, read by this gateway:]\nOne.\n\n"
            "[End of the picture, of which not everything could be read: low_confidence.]",
        ),
        (
            Reading(kind=FileKind.PDF, reasons=("encrypted",)), file_part(PDF),
            'What does it say?\n[File "report.pdf" could not be read: encrypted.]',
        ),
        (
            CLEAN, {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},
            "What does it say?\n[The picture could not be read.]",
        ),
    ],
)  # fmt: skip
async def test_a_text_model_at_home_is_given_what_was_read(inspector, reading, part, expected):
    """A local target that takes no files gets their text, marked as such, and is told what could not be read."""
    asked = world(inspector, reading, home=TEXT_ONLY)
    assert not await asked.leaves(asking(part))
    assert given(asked) == expected


async def test_a_model_that_sees_gets_the_picture_itself(inspector):
    """What a target takes itself is left as it came; only the rest becomes text."""
    sees = {"capabilities": frozenset({Capability.IMAGES}), "given_as_text": frozenset(Media)}
    asked = world(inspector, home=sees)
    await asked.leaves(asking(picture_part(PHOTO), file_part(PDF)))
    (request,) = asked.house.home.asked
    assert request.media == {Media.IMAGE}
    assert base64.b64encode(PHOTO) in encode(request.document)
    assert base64.b64encode(PDF) not in encode(request.document)
    assert "Bread is baked" in request.messages[0].text


async def test_a_cloud_is_never_given_what_was_read(inspector):
    """What leaves is the document that was inspected: no text stands in it in the place of a file."""
    asked = world(inspector, attachments=MAY_LEAVE, home=TEXT_ONLY)
    assert await asked.leaves(asking(file_part(PDF)))
    (clearance,) = asked.house.big.asked
    assert b"Bread is baked" not in encode(clearance.document)


async def test_recordings_are_read_like_files(inspector):
    """What was said in a recording is inspected, and given to a model that hears nothing."""
    reader = FakeReader({SOUND: pages("Call me tomorrow.", kind=FileKind.SOUND)})
    part = {"type": "input_audio", "input_audio": {"data": base64.b64encode(SOUND).decode(), "format": "wav"}}
    asked = world(inspector, reader=reader, home=TEXT_ONLY)
    assert not await asked.leaves(asking(part))
    assert "[The recording, page 1, read by this gateway:]\nCall me tomorrow." in given(asked)


async def test_rules_see_pages_that_were_read(inspector):
    """A rule that asks for pages has the file read before it is decided on."""
    long = POLICY + "rules: [{name: long files, when: {attachment_pages: {over: 1}}, prefer: [home]}]\n"
    asked = world(inspector, policy=long)
    explanation = await asked.explained(asking(file_part(PDF)))
    assert explanation.chosen_by == "long files"
    assert not await asked.leaves(asking(file_part(PDF)))
    assert asked.house.ledger.receipts[-1].rule == "long files"


async def test_a_reading_that_never_ends_makes_others_try_again(inspector, monkeypatch):
    """Where a key's files are read for too long, a request that would leave is told to come back."""
    monkeypatch.setattr("gateway.pipeline.attachments.behind._PATIENCE", 0.0)
    monkeypatch.setattr("gateway.pipeline.attachments.behind._FAREWELL", 0.0)
    reader = FakeReader({PDF: CLEAN})
    reader.gate = asyncio.Event()
    asked = world(inspector, reader=reader)
    await asked.leaves(asking(file_part(PDF)))
    with pytest.raises(Unavailable, match="still being read"):
        async with asked.house.pipeline.generate(*_pair(asked)):
            pass
    await settled(asked)


def _pair(asked: World) -> tuple[Any, Any]:
    inbound = asked.inbound(chat("Hello there"))
    return inbound, inbound.request
