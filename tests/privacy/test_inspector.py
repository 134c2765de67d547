"""Every position, every view, every limit: nothing is passed over in silence."""

import base64
import gzip
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.document import freeze_object
from gateway.core.errors import ConfigurationError
from gateway.core.request import Media
from gateway.privacy import InspectionSettings, Inspector

IBAN = "ES9121000418450200051332"
INSPECTOR = Inspector()


def categories(document: dict) -> set[str]:
    """What is found in a document."""
    return {finding.category for finding in INSPECTOR.inspect(freeze_object(document)).findings}


@pytest.mark.parametrize(
    "document",
    [
        {"messages": [{"role": "system", "content": f"Pay {IBAN}"}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": IBAN}]}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"arguments": f'{{"to": "{IBAN}"}}'}}]}]},
        {"messages": [{"role": "tool", "content": f"result: {IBAN}"}]},
        {"messages": [{"role": "user", "name": IBAN, "content": "hi"}]},
        {"tools": [{"function": {"description": IBAN}}]},
        {"tools": [{"function": {"parameters": {"properties": {IBAN: {}}}}}]},
        {"user": IBAN},
        {"stop": ["x", IBAN]},
        {"metadata": {"deep": [{"er": {IBAN: 1}}]}},
        {"a_field_of_next_year": {"x": [IBAN]}},
    ],
)
def test_every_position_is_looked_at(document):
    """Values and keys, known fields or not."""
    assert "financial.iban" in categories(document)


def wide(text: str) -> str:
    """Full-width characters."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


ENCODINGS = {
    "base64": lambda text: base64.b64encode(f"please pay {text} now".encode()).decode(),
    "base64url": lambda text: base64.urlsafe_b64encode(f"please pay {text} now".encode()).decode().rstrip("="),
    "hex": lambda text: f"please pay {text} now".encode().hex(),
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "entities": lambda text: "".join(f"&#{ord(c)};" for c in text),
    "escapes": lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
    "gzip": lambda text: base64.b64encode(gzip.compress(f"please pay {text} now".encode())).decode(),
    "json": lambda text: quote(f'{{"to": "{text}"}}'),
    "wide": wide,
    "arabic digits": lambda text: text.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
    "invisible": lambda text: "\u200b".join(text),
    "spaced": lambda text: " ".join(text),
    "broken": lambda text: text[:9] + "\n" + text[9:],
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_encoding_is_seen_through(name):
    """What a person or a program would read, inspection reads."""
    assert "financial.iban" in categories({"messages": [{"role": "user", "content": ENCODINGS[name](IBAN)}]})


@pytest.mark.parametrize("first", ["base64", "hex", "percent", "entities", "gzip"])
@pytest.mark.parametrize("second", ["base64", "hex", "percent", "gzip"])
def test_encodings_in_encodings_are_seen_through(first, second):
    """Two layers, in any order."""
    text = ENCODINGS[second](ENCODINGS[first](IBAN))
    assert "financial.iban" in categories({"messages": [{"role": "user", "content": text}]})


def test_a_number_split_over_two_messages_is_seen():
    """The end of one turn and the beginning of the next are read together."""
    turns = [
        {"role": "user", "content": f"first half: {IBAN[:12]}"},
        {"role": "user", "content": f"{IBAN[12:]} second"},
    ]
    assert "financial.iban" in categories({"messages": turns})


@given(before=st.text(max_size=200), after=st.text(max_size=200))
def test_surroundings_do_not_hide_it(before, after):
    """Whatever text stands around, with a line between."""
    assert "financial.iban" in categories({"messages": [{"content": f"{before}\n\n {IBAN} \n\n{after}"}]})


@given(st.recursive(st.text() | st.integers() | st.none(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)))
def test_it_never_raises(value):
    """Any document gives an answer."""
    assert INSPECTOR.inspect(freeze_object({"x": value})).strings >= 1


@given(st.text(max_size=100), st.text(max_size=100))
def test_more_text_never_takes_findings_away(text, more):
    """A further message adds to what was found."""
    one = {"messages": [{"content": f"{text}\n{IBAN}"}]}
    two = {"messages": [{"content": f"{text}\n{IBAN}"}, {"content": more}]}
    assert categories(one) <= categories(two)


def test_what_can_not_be_read_is_a_doubt():
    """Images, audio, files, and parts of a kind that nobody knows yet."""
    inspection = INSPECTOR.inspect(freeze_object({}), frozenset(Media))
    assert {doubt.reason for doubt in inspection.doubts} == {"image", "audio", "file"}
    part = {"type": "hologram", "data": "…"}
    inspection = INSPECTOR.inspect(freeze_object({"messages": [{"role": "user", "content": [part]}]}))
    assert [doubt.path for doubt in inspection.doubts] == ["$.messages[0].content[0]"]


def test_over_a_limit_is_a_doubt():
    """Too large or too slow: sensitive, never skipped."""
    small = Inspector(InspectionSettings(max_characters=1000))
    assert [d.reason for d in small.inspect(freeze_object({"x": "word " * 1000})).doubts] == ["size"]
    ticks = iter(range(1000))
    slow = Inspector(InspectionSettings(seconds=1.0), clock=lambda: float(next(ticks)))
    assert [d.reason for d in slow.inspect(freeze_object({"x": "some text", "y": "other text"})).doubts] == ["time"]


def test_a_detector_that_fails_is_a_doubt(monkeypatch):
    """An error inside is not the end of inspection: it makes the request sensitive, and shows no text."""
    inspector = Inspector()
    monkeypatch.setattr(inspector, "_detect", lambda *_, **__: 1 / 0)
    (doubt,) = inspector.inspect(freeze_object({"x": "some text"})).doubts
    assert doubt.reason == "detector_failed:ZeroDivisionError"


def test_findings_hold_no_text():
    """Where and what kind, never what."""
    inspection = INSPECTOR.inspect(freeze_object({"messages": [{"role": "user", "content": f"Pay {IBAN}, now"}]}))
    assert IBAN not in repr(inspection)
    (finding,) = inspection.findings
    assert (finding.path, finding.start, finding.end) == ("$.messages[0].content", 4, 28)


class TestOwnWords:
    """The user's words and patterns."""

    INSPECTOR = Inspector(
        InspectionSettings(words={"projects": ("Bluebird", "Río Verde")}, patterns={"case": (r"EXP-\d{4}",)})
    )

    @pytest.mark.parametrize(
        ("text", "category"),
        [
            ("the bluebird launch", "custom.projects"),
            ("plan RÍO VERDE.", "custom.projects"),
            ("see EXP-2024", "custom.case"),
            ("bluebirds sing", None),
        ],
    )
    def test_are_found_whole_and_in_any_case(self, text, category):
        """A word is a word, not a part of one."""
        found = {f.category for f in self.INSPECTOR.inspect(freeze_object({"x": text})).findings}
        assert found == ({category} if category else set())

    @pytest.mark.parametrize("pattern", ["(unclosed", "(?=ahead)", "a*"])
    def test_a_pattern_that_can_not_be_used_is_an_error_at_start(self, pattern):
        """The message names the setting."""
        with pytest.raises(ConfigurationError, match=r"inspection\.patterns\.mine"):
            Inspector(InspectionSettings(patterns={"mine": (pattern,)}))
