"""Tokens back to text: characters over token borders, stop strings over piece borders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.local.embedded.text.detokenizer import Detokenizer, StopStrings


@given(st.text(), st.data())
def test_text_survives_any_split_into_bytes(text: str, data: st.DataObject) -> None:
    """However the bytes are cut, the same characters come out, none twice."""
    raw = text.encode("utf-8", "replace")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    reader = Detokenizer()
    pieces = [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert "".join(reader.feed(piece) for piece in pieces) == raw.decode()


def test_a_character_that_was_cut_is_left_out() -> None:
    """An answer that ends within an emoji ends before it, as llama-server's does; bytes that are none are marked."""
    reader = Detokenizer()
    assert reader.feed("sí 🎉".encode()[:-1]) == "sí "
    assert Detokenizer().feed(b"a\xffb") == "a\ufffdb"


@pytest.mark.parametrize(
    ("stops", "pieces", "expected", "stopped"),
    [
        (("STOP",), ["a ST", "OP b"], "a ", True),
        (("STOP",), ["a ST", "ART"], "a START", False),
        (("\n\n",), ["a\n", "\n", "b"], "a", True),
        (("bb", "abc"), ["xa", "bc"], "x", True),
        (("aab",), ["aa", "a", "b!"], "a", True),
        ((), ["a", "b"], "ab", False),
        (("x",), ["abc"], "abc", False),
        (("end", "e"), ["the"], "th", True),
    ],
)
def test_stop_strings_across_pieces(stops: tuple[str, ...], pieces: list[str], expected: str, stopped: bool) -> None:
    """The text ends before the first stop string, wherever the pieces are cut; a false start is given out."""
    reader = StopStrings(stops)
    text = "".join(reader.feed(piece) for piece in pieces)
    assert text + reader.flush() == expected
    assert reader.stopped is stopped


@given(st.text("ab", max_size=30), st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=3), st.data())
def test_stop_strings_agree_with_a_search_in_the_whole_text(text: str, stops: list[str], data: st.DataObject) -> None:
    """Piecewise reading finds what a search over the whole text finds first, and no later byte leaks out."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    reader = StopStrings(stops)
    shown = ""
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        shown += reader.feed(text[start:end])
        if reader.stopped:
            break
    ends = [(text.find(stop) + len(stop), text.find(stop)) for stop in stops if stop in text]
    if not ends:
        assert not reader.stopped
        assert shown + reader.flush() == text
    else:
        assert reader.stopped
        assert text.startswith(shown)
        assert not any(stop in shown for stop in stops)
