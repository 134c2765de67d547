"""The inspector's limits: what it could not look at is a doubt, and it never raises."""

import base64
import gzip
import itertools
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.document import freeze_object
from gateway.core.errors import ConfigurationError
from gateway.core.request import Media
from gateway.privacy import InspectionSettings, Inspector
from gateway.privacy.detectors.detector import Detector

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@given(body=st.dictionaries(st.text(max_size=12), JSON, max_size=5))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_never_raises(inspector: Inspector, body: dict[str, object]) -> None:
    """Inspection never raises, whatever JSON comes, lone surrogates included."""
    inspection = inspector.inspect(freeze_object(body))
    assert inspection.strings >= len(body)


def test_media_and_parts_that_are_not_text_are_doubts(inspector: Inspector) -> None:
    """A part that can't be read, such as an image, is a doubt with its kind and place."""
    body = {"messages": ({"role": "user", "content": ({"type": "video", "video": "x"},)},)}
    doubts = inspector.inspect(body, frozenset({Media.IMAGE})).doubts
    assert {(d.reason, d.path) for d in doubts} == {("image", "$"), ("unreadable_part", "$.messages[0].content[0]")}


def test_a_picture_in_the_parts_of_a_tools_result_is_a_doubt(inspector: Inspector) -> None:
    """Parts inside parts count as well: a result that a client left in another API's form."""
    part = {"type": "tool_result", "content": ({"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},)}
    doubts = inspector.inspect({"messages": ({"role": "user", "content": (part,)},)}).doubts
    assert [(d.reason, d.path) for d in doubts] == [("image", "$.messages[0].content[0].content[0]")]


def message(**fields: object) -> dict[str, object]:
    """Return a body of one message."""
    return {"messages": [{"role": "user", "content": "x"} | fields]}


def part(**fields: object) -> dict[str, object]:
    """Return a body of one message of one part."""
    return message(content=[{"type": "text", "text": "x"} | fields])


HELD = [
    ("image", part(image_url={"url": "https://x.example/a"})),
    ("file", part(type="refusal", refusal="x", file={"file_id": "f1"})),
    ("audio", part(input_audio={"data": "AAAA"})),
    ("image", message(images=["https://x.example/a"])),
    ("file", message(attachments=[{"file_id": "f1"}])),
    ("file", message(extra={"deep": [{"file_id": "f1"}]})),
    ("image", {"messages": [], "prediction": {"content": [{"type": "image_url", "image_url": {"url": "u"}}]}}),
    ("image", {"messages": [], "prediction": {"content": [{"type": "text", "text": "x", "image_url": "u"}]}}),
    ("file", {"messages": [], "attachments": ["f1"]}),
    ("image", {"input": [{"image": "https://x.example/a"}]}),
]
NOT_HELD: list[dict[str, object]] = [
    part(cache_control={"type": "ephemeral"}),
    message(images=[], audio=None),
    {"messages": [], "tools": [{"function": {"parameters": {"properties": {"image_url": {"type": "string"}}}}}]},
    {"messages": [], "audio": {"voice": "alloy", "format": "wav"}, "modalities": ["text", "audio"]},
    message(role="assistant", annotations=[{"type": "file_citation", "file_id": "f1"}]),
]


@pytest.mark.parametrize(("reason", "body"), HELD)
def test_a_field_that_holds_a_medium_is_a_doubt(inspector: Inspector, reason: str, body: dict[str, object]) -> None:
    """Whatever its part calls itself, and wherever it stands: a provider may look at it."""
    assert [doubt.reason for doubt in inspector.inspect(freeze_object(body)).doubts] == [reason]


@pytest.mark.parametrize("body", NOT_HELD)
def test_a_field_that_only_speaks_of_media_is_none(inspector: Inspector, body: dict[str, object]) -> None:
    """Schemas of tools, settings of the answer, empty fields and notes on sources."""
    assert inspector.inspect(freeze_object(body)).doubts == ()


def test_time_over_is_a_doubt_that_is_not_remembered() -> None:
    """When time is over there is a doubt; the same request with time enough is looked at again."""
    ticks = itertools.chain([0.0], itertools.repeat(5.0, 3), itertools.repeat(5.5))
    inspector = Inspector(clock=lambda: next(ticks))
    document = {"p": "mi DNI es 12345678Z"}
    assert [d.reason for d in inspector.inspect(document).doubts] == ["time"]
    second = inspector.inspect(document)
    third = inspector.inspect(document)
    assert any(i.findings and not i.doubts for i in (second, third))


def test_waiting_for_a_core_is_no_work() -> None:
    """A machine that is busy with other things does not make requests sensitive."""

    class Slow(dict[str, object]):
        """A document whose reader has to wait."""

        def items(self):  # type: ignore[no-untyped-def]
            threading.Event().wait(1.1)
            return super().items()

    document = Slow(p="mi DNI es 12345678Z")
    inspection = Inspector(InspectionSettings(seconds=1.0)).inspect(document)
    assert inspection.findings
    assert not inspection.doubts


@pytest.mark.parametrize(
    "piece", ["12, 240, ", "%41%42=C3=A9", "\n", "12\n", "\u0430 ", "1 ", "41 ", "\nab1D", "[4111,1111,1111,1112] "]
)
def test_no_text_is_looked_at_for_longer_than_the_limit(piece: str) -> None:
    """Whatever fills a long text, the clock is looked at on the way: time over is a doubt soon after it is over."""
    looks = itertools.count()
    inspector = Inspector(InspectionSettings(seconds=100.0), clock=lambda: float(next(looks)))
    inspection = inspector.inspect({"p": piece * (2_000_000 // len(piece))})
    assert "time" in {doubt.reason for doubt in inspection.doubts}


def test_more_than_the_size_limit_is_a_doubt() -> None:
    """More characters than the limit are a doubt, and what is decoded counts too."""
    inspector = Inspector(InspectionSettings(max_characters=5_000))
    assert [d.reason for d in inspector.inspect({"p": "a b " * 2_000}).doubts] == ["size"]
    packed = base64.b64encode(gzip.compress(b"hola que tal " * 2_000)).decode()
    assert [d.reason for d in inspector.inspect({"p": packed}).doubts] == ["size"]


def test_a_bomb_is_a_doubt(inspector: Inspector) -> None:
    """A compressed piece that unpacks to more than a megabyte is a doubt."""
    bomb = base64.b64encode(gzip.compress(b"\n" * 30_000_000)).decode()
    assert [d.reason for d in inspector.inspect({"p": bomb}).doubts] == ["size"]


def test_encodings_deeper_than_the_limit_are_a_doubt(inspector: Inspector) -> None:
    """A text that is encoded more often than inspection looks is a doubt: nobody does that without a reason."""
    text = "nada en particular"
    for _ in range(9):
        text = base64.b64encode(text.encode()).decode()
    assert [d.reason for d in inspector.inspect({"p": text}).doubts] == ["depth"]


def test_a_failing_detector_is_a_doubt(inspector: Inspector, monkeypatch: pytest.MonkeyPatch) -> None:
    """A detector that fails is a doubt; the text never counts as clean."""

    def fail(self: Detector, text: str) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(Detector, "find", fail)
    doubts = inspector.inspect({"p": "the failing one: 98765432M"}).doubts
    assert [(d.reason, d.path) for d in doubts] == [("detector_failed:RuntimeError", "$.p")]


def test_a_string_is_looked_at_once_and_found_again_wherever_it_stands(inspector: Inspector) -> None:
    """A long conversation costs only its new turn; paths stay right."""
    first = inspector.inspect({"a": "DNI 87654321X ok"})
    second = inspector.inspect({"b": "DNI 87654321X ok"})
    assert {f.path for f in first.findings} == {"$.a"}
    assert {f.path for f in second.findings} == {"$.b"}
    assert second.characters < first.characters


def test_users_words_and_patterns_are_found_in_any_view() -> None:
    """The user's words, whole and in any case, and RE2 expressions are found in any view."""
    inspector = Inspector(InspectionSettings(words={"project": ("Fénix",)}, patterns={"case": (r"EXP-\d{4}",)}))
    assert {f.category for f in inspector.inspect({"p": "el proyecto FÉNIX, EXP-1234"}).findings} == {
        "custom.project",
        "custom.case",
    }
    hidden = base64.b64encode(b"sobre EXP-1234 hoy").decode()
    assert {f.category for f in inspector.inspect({"p": hidden}).findings} == {"custom.case"}


@pytest.mark.parametrize("pattern", ["(", "a*", r"(?<=x)y"])
def test_a_pattern_that_cannot_be_used_is_refused_at_the_start(pattern: str) -> None:
    """A pattern that RE2 can't use is refused at the start, not at the first request."""
    with pytest.raises(ConfigurationError):
        Inspector(InspectionSettings(patterns={"bad": (pattern,)}))


def test_threads_share_an_inspector(inspector: Inspector) -> None:
    """Several threads use one inspector: small documents come from the loop, large ones from threads."""
    results: list[bool] = []

    def look(number: int) -> None:
        results.append(all(inspector.inspect({"p": f"{number} {i} DNI 12345678Z"}).findings for i in range(50)))

    threads = [threading.Thread(target=look, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 4


@pytest.mark.parametrize(
    "unit",
    ["a", "1", "A1", "=", "%41", "&amp;", "\\", "\\u0041", "1 ", "a@", "-", "ab\n", "1\n", "eyJ", "https://a:",
     "QUJD ", "4111 ", "password=", "my ", "mi nómina ", "c/ a ", "Calle b 1 ", "<", "é",
     "\u200b", "+34 ", "12.", "x-----BEGIN "],
)  # fmt: skip
def test_long_runs_cost_in_proportion(unit: str) -> None:
    """No run of anything makes a pattern back-track for long: sixty thousand characters stay far below the limit."""
    inspector = Inspector(InspectionSettings(seconds=20.0))
    inspection = inspector.inspect({"p": unit * (60_000 // len(unit))})
    assert all(d.reason in ("size", "depth") for d in inspection.doubts)


def test_the_compiled_database_is_kept_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiled database is kept on disk, in the user's cache as well, and a damaged one is made again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Inspector(cache_dir=tmp_path / "state")
    (stored,) = (tmp_path / "state").iterdir()
    assert (tmp_path / "cache" / "aduana" / stored.name).read_bytes() == stored.read_bytes()
    assert stored.stat().st_size > 10_000
    other = tmp_path / "other"
    other.mkdir()
    (other / stored.name).write_bytes(stored.read_bytes()[:5_000])
    assert Inspector(cache_dir=other).inspect({"p": "DNI 12345678Z"}).findings


@pytest.mark.parametrize(
    ("document", "paths"),
    [
        ({"prompt": [1, 2, 3]}, ["$.prompt"]),
        ({"prompt": ["a text", [1, 2]]}, ["$.prompt"]),
        ({"input": [[1], [2]]}, ["$.input"]),
        ({"input": ["one", "two"]}, []),
        ({"prompt": "one"}, []),
    ],
)
def test_a_prompt_in_token_numbers_is_a_doubt(document, paths):
    """A prompt in token numbers is a doubt: nobody here can read it, so it counts as sensitive."""
    doubts = Inspector().inspect(freeze_object(document)).doubts
    assert [(doubt.reason, doubt.path) for doubt in doubts] == [("token_numbers", path) for path in paths]
