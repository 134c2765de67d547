"""Files of all kinds together: what is kept when something runs out."""

from collections.abc import Iterator

import pytest

from gateway.attachments.worker import files
from gateway.attachments.worker.kinds import Format
from gateway.attachments.worker.parts import Budget, Inside, Limits, Parts
from gateway.core.attachment import FileKind, Piece
from tests.attachments.read import read
from tests.attachments.zip_files import zipped


def test_of_a_text_that_is_too_long_the_beginning_is_read() -> None:
    """Up to the limit, and never half a letter."""
    said = read("ñ".encode() * 100, limits=Limits(text_bytes=51))
    assert said.texts == {"": "ñ" * 25}
    assert said.reasons == ["too_long"]


def test_all_files_of_one_attachment_share_the_limits() -> None:
    """Many small files are as much as one large one."""
    said = read(zipped({"a": "x" * 40, "b": "y" * 40}), limits=Limits(text_bytes=50))
    assert said.texts["file 1"] == "x" * 40
    assert said.reasons == ["too_long"]


@pytest.mark.parametrize("error", [ValueError, RecursionError, ZeroDivisionError, UnicodeError])
def test_what_was_read_before_a_fault_is_kept(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a parser raises: the file is not whole, and the others in the archive are read."""

    def fails(data: bytes, budget: Budget) -> Parts:
        yield Piece(place="", text="before")
        if data == b"broken":
            raise error

    monkeypatch.setitem(files.READERS, Format.TEXT, (FileKind.TEXT, fails))
    said = read(zipped({"a": "broken", "b": "fine"}))
    assert said.texts == {"file names": "a\nb", "file 1": "before", "file 2": "before"}
    assert said.reasons == ["broken"]


def test_a_file_of_too_many_pieces_is_read_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """However short they are."""

    def many(data: bytes, budget: Budget) -> Parts:
        for _ in range(60_000):
            yield Piece(place="", text="x")

    monkeypatch.setitem(files.READERS, Format.TEXT, (FileKind.TEXT, many))
    said = read(b"text")
    assert len(said.all.split()) == 50_000
    assert said.reasons == ["too_long"]


def test_time_is_looked_at_between_files() -> None:
    """An archive of many files ends when the time does."""
    clock: Iterator[float] = iter(range(1000))
    found = list(
        files.read_file(zipped({str(n): "x" for n in range(50)}), Budget(Limits(seconds=20), clock=clock.__next__))
    )
    assert "time" in str(found[-1])
    assert any(isinstance(part, Piece) for part in found)


def test_text_that_is_no_text_can_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a character, as broken files have them, becomes a sign that stands for it."""

    def half(data: bytes, budget: Budget) -> Parts:
        if data == b"outer":
            yield Inside(place="part", data=b"inner")
        yield Piece(place="here", text="a\ud800b")

    monkeypatch.setitem(files.READERS, Format.TEXT, (FileKind.TEXT, half))
    assert read(b"outer").texts == {"part, here": "a?b", "here": "a?b"}
