"""Letters of media in base64: passed over while the request stays at home anyway, and searched before it may leave."""

import base64
import random
from collections.abc import Sequence
from typing import Any

import pytest

from gateway.core.attachment import FileKind
from gateway.pipeline.attachments import AttachmentSettings
from gateway.pipeline.inspection import Topics
from gateway.privacy import InspectionSettings, Inspector
from gateway.privacy.topic_questions import Judgement
from tests.pipeline.attachments.reader import FakeReader, asking, pages
from tests.pipeline.memory_world import POLICY, World, chat

IBAN_LETTERS = "ES9121000418450200051332"
BEGINNINGS = {"png": b"\x89PNG\r\n\x1a\n\0", "pdf": b"%PDF-1.7\n", "sound": b"ID3\x04\0\0\0\0\0"}
ACCEPTS = POLICY.replace(
    "labels:\n", "labels:\n  doubts: {image: public, file: public, audio: public, unreadable_blob: public}\n", 1
)
INTERNAL = ACCEPTS.replace("image: public", "image: internal")
MAY_LEAVE = AttachmentSettings(may_leave=frozenset({FileKind.PICTURE}))


@pytest.fixture(scope="module")
def inspector() -> Inspector:
    return Inspector(InspectionSettings(words={"project": ("nightingale",)}), hyperscan=False)


def letters(planted: str, begin: bytes = BEGINNINGS["png"]) -> str:
    """Return base64 that decodes strictly, begins like a medium, and has these letters in its middle."""
    noise = random.Random(5)
    some = [base64.b64encode(noise.randbytes(3_000)).decode() for _ in range(2)]
    word = f"/{planted}/"
    return base64.b64encode(begin).decode() + some[0] + word + "A" * (-len(word) % 4) + some[1]


def part(address: str, kind: str = "image_url") -> dict[str, Any]:
    """Return a part of a message with an address."""
    if kind == "image_url":
        return {"type": "image_url", "image_url": {"url": address}}
    return {"type": "file", "file": {"filename": "a.bin", "file_data": address}}


def bodies(base64_letters: str) -> dict[str, dict[str, Any]]:
    """Return requests that carry the same base64 in many places and dresses."""
    return {
        "a picture": asking(part(f"data:image/png;base64,{base64_letters}")),
        "a picture that says it is text": asking(part(f"data:text/plain;base64,{base64_letters}")),
        "a file": asking(part(f"data:application/pdf;base64,{base64_letters}", "file")),
        "bare base64": asking(part(base64_letters, "file")),
        "a text": chat(base64_letters),
        "a URL as text": chat(f"data:image/png;base64,{base64_letters}"),
        "Ollama's images": {"messages": [{"role": "user", "content": "Look", "images": [base64_letters]}]},
        "an unknown field": chat("Look", note=base64_letters),
        "to be embedded": {"input": [base64_letters, "Look"]},
    }


@pytest.mark.parametrize(
    ("planted", "begin"),
    [(IBAN_LETTERS, BEGINNINGS["png"]), ("nightingale", BEGINNINGS["pdf"]), (IBAN_LETTERS, BEGINNINGS["sound"])],
    ids=["account", "word", "account in sound"],
)
@pytest.mark.parametrize("name", bodies(""))
async def test_letters_keep_at_home_what_a_policy_would_let_go(
    inspector: Inspector, planted: str, begin: bytes, name: str
) -> None:
    """Where a policy accepts pictures and files that nobody can read, words among their letters still count."""
    asked = World(inspector, policy=ACCEPTS)
    assert await asked.leaves(bodies(letters("AAAA", begin))[name])
    body = bodies(letters(planted, begin))[name]
    assert not await asked.leaves(body)
    assert not await asked.leaves(body)


async def test_what_was_passed_over_first_is_searched_when_the_policy_changes(inspector: Inspector) -> None:
    """The same picture, known from a time when it stayed at home as a doubt, is searched under another policy."""
    body = bodies(letters(IBAN_LETTERS))["a picture"]
    assert not await World(inspector).leaves(body)
    assert not await World(inspector, policy=ACCEPTS).leaves(body)


async def test_letters_count_below_sensitive_for_targets_at_home_too(inspector: Inspector) -> None:
    """A label between is only given to a request whose letters were searched."""
    asked = World(inspector, policy=INTERNAL)
    assert (await asked.explained(bodies(letters("AAAA"))["a picture"])).label == "internal"
    assert (await asked.explained(bodies(letters(IBAN_LETTERS))["a picture"])).label == "sensitive"


async def test_letters_count_in_a_picture_that_was_read_whole_and_may_leave(inspector: Inspector) -> None:
    """With `clean_may_leave` a reading takes the doubt away, and so the letters are searched."""
    for planted, goes in (("AAAA", True), (IBAN_LETTERS, False)):
        body = bodies(letters(planted))["a picture"]
        data = base64.b64decode(letters(planted))
        reader = FakeReader({data: pages("A sign.", kind=FileKind.PICTURE)})
        assert await World(inspector, reader=reader, attachments=MAY_LEAVE).leaves(body) is goes


async def test_a_picture_that_stays_is_no_bank_account(inspector: Inspector) -> None:
    """Letters that look like an account by chance are no finding where the picture stays at home as a doubt."""
    explanation = await World(inspector).explained(bodies(letters(IBAN_LETTERS))["a picture"])
    assert explanation.label == "sensitive"
    assert "iban" not in explanation.json().decode()


async def test_models_read_a_picture_by_what_it_says_and_not_by_its_letters(inspector: Inspector) -> None:
    """A picture that was read whole and may leave is judged by its text, however large; every other one as before."""

    class Judge:
        def __init__(self) -> None:
            self.read: list[str] = []

        async def judgement(self, texts: Sequence[tuple[str, str]]) -> Judgement:
            self.read += [text for _, text in texts]
            return Judgement()

    data = base64.b64decode(letters("AAAA"))
    for attachments, whole in ((MAY_LEAVE, True), (AttachmentSettings(), False)):
        judge = Judge()
        topics = Topics(judge=judge, characters=2_000 if whole else 20_000)
        reader = FakeReader({data: pages("A sign.", kind=FileKind.PICTURE)})
        asked = World(inspector, reader=reader, attachments=attachments, topics=topics, policy=ACCEPTS)
        assert await asked.leaves(bodies(letters("AAAA"))["a picture"])
        assert "A sign." in judge.read
        assert any("base64" in text for text in judge.read) is not whole
