"""Archives: files inside files, and those that are made to break whoever opens them."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

from gateway.attachments.worker.parts import Limits
from gateway.core.attachment import FileKind
from tests.attachments.read import read
from tests.attachments.zip_files import docx, zipped

ID = "12345678Z"
TEXT = f"DNI {ID}".encode()


def tarred(name: str, content: bytes, owner: str = "") -> bytes:
    """A tar of one file."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size, member.uname = len(content), owner
        archive.addfile(member, io.BytesIO(content))
    return target.getvalue()


def commented() -> bytes:
    """A ZIP with a comment."""
    target = io.BytesIO(zipped({"a.txt": "x"}))
    with zipfile.ZipFile(target, "a") as archive:
        archive.comment = TEXT
    return target.getvalue()


SAYS = {
    "a file in a ZIP": (zipped({"a.txt": TEXT}), "file 1"),
    "the second file": (zipped({"a.txt": b"x", "b.txt": TEXT}), "file 2"),
    "a name": (zipped({f"{ID}.txt": b"x"}), "file names"),
    "a comment": (commented(), "file names"),
    "a document in a ZIP": (zipped({"a.docx": docx(f"<w:p><w:r><w:t>{ID}</w:t></w:r></w:p>")}), "file 1"),
    "a ZIP in a ZIP": (zipped({"a.zip": zipped({"b.txt": TEXT})}), "file 1, file 1"),
    "tar": (tarred("a.txt", TEXT), "file 1"),
    "an owner in tar": (tarred("a.txt", b"x", owner=ID), "file names"),
    "gzip": (gzip.compress(TEXT), "file 1"),
    "two gzip files in one": (gzip.compress(b"DNI 1234") + gzip.compress(b"5678Z"), "file 1"),
    "bzip2": (bz2.compress(TEXT), "file 1"),
    "xz": (lzma.compress(TEXT), "file 1"),
    "tar and gzip": (gzip.compress(tarred("a.txt", TEXT)), "file 1, file 1"),
}


@pytest.mark.parametrize("name", sorted(SAYS))
def test_files_in_files_are_read(name: str) -> None:
    """Whatever they are packed in, and an archive of only readable files is whole."""
    data, place = SAYS[name]
    said = read(data)
    assert ID in said.texts.get(place, ""), said.texts
    assert said.reasons == []
    assert said.kind is FileKind.ARCHIVE


def nested(depth: int) -> bytes:
    """A text in that many ZIPs."""
    data = TEXT
    for _ in range(depth):
        data = zipped({"a": data})
    return data


def encrypted() -> bytes:
    """A ZIP whose members say that they are encrypted."""
    data = bytearray(zipped({"a.txt": TEXT}, packed=False))
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def unlisted() -> bytes:
    """A ZIP with a member that its list leaves out."""
    hidden, data = zipped({"a.txt": TEXT * 5}, packed=False), zipped({"b.txt": b"y"}, packed=False)
    hidden = hidden[: hidden.index(b"PK\x01\x02")]
    listed, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    start = (listed + len(hidden)).to_bytes(4, "little")
    return data[:listed] + hidden + data[listed:end] + data[end : end + 16] + start + data[end + 20 :]


def twice() -> bytes:
    """A ZIP with two files of one name."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a.txt", "x")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.txt", TEXT)
    return target.getvalue()


NOT_WHOLE = {
    "cut off": (zipped({"a.txt": TEXT})[:-10], "broken"),
    "cut off gzip": (gzip.compress(TEXT)[:-12], "broken"),
    "cut off tar": (tarred("a.txt", TEXT * 500)[:3000], "broken"),
    "damaged": (zipped({"a.txt": TEXT}, packed=False).replace(b"DNI", b"XXX"), "broken"),
    "encrypted": (encrypted(), "encrypted"),
    "too deep": (nested(6), "too_deep"),
    "something unreadable in it": (zipped({"a.7z": b"7z\xbc\xaf\x27\x1c" + bytes(100)}), "unreadable"),
    "a member that its list leaves out": (unlisted(), "polyglot"),
    "two files of one name": (twice(), "polyglot"),
    "a program before it": (b"MZ" + bytes(500) + zipped({"a.txt": TEXT}), "polyglot"),
    "a name that lies": (zipped({"a.pdf": TEXT}), "extension"),
}


@pytest.mark.parametrize("name", sorted(NOT_WHOLE))
def test_what_can_not_be_read_is_said(name: str) -> None:
    """An archive with anything in it that nobody read is not whole."""
    data, reason = NOT_WHOLE[name]
    assert reason in read(data).reasons


@pytest.mark.parametrize(
    "bomb",
    [
        zipped({"a": bytes(50_000_000)}),
        gzip.compress(bytes(50_000_000)),
        zipped({str(number): bytes(2_000_000) for number in range(25)}),
        gzip.compress(gzip.compress(bytes(50_000_000))),
        tarred("a", b"")[:124] + b"77777777777\0" + tarred("a", b"")[136:],
    ],
    ids=["one file", "gzip", "many files", "gzip in gzip", "a size that is not there"],
)
def test_a_bomb_is_not_unpacked(bomb: bytes) -> None:
    """What would become larger than the limit is left as it is."""
    assert set(read(bomb, limits=Limits(unpacked_bytes=10_000_000)).reasons) & {"too_large", "broken"}


def extra(field: int, said: bytes) -> bytes:
    """A ZIP of one file with an extra field."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        member = zipfile.ZipInfo("a.txt")
        member.extra = field.to_bytes(2, "little") + len(said).to_bytes(2, "little") + said
        archive.writestr(member, b"x")
    return target.getvalue()


def between(said: bytes) -> bytes:
    """A ZIP with bytes between its file and its list."""
    data = zipped({"a.txt": b"x"})
    at, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    moved = (int.from_bytes(data[end + 16 : end + 20], "little") + len(said)).to_bytes(4, "little")
    return data[:at] + said + data[at : end + 16] + moved + data[end + 20 :]


def before_end(said: bytes) -> bytes:
    """A ZIP with bytes between its list and the list's end."""
    data = zipped({"a.txt": b"x"})
    end = data.index(b"PK\5\6")
    size = (int.from_bytes(data[end + 12 : end + 16], "little") + len(said)).to_bytes(4, "little")
    return data[:end] + said + data[end : end + 12] + size + data[end + 16 :]


def written(data: bytes, at: int, said: bytes) -> bytes:
    """The same with these bytes at a place."""
    at %= len(data)
    return data[:at] + said + data[at + len(said) :]


GZIP = gzip.compress(b"x")
NTFS = bytes(4) + b"\1\0\x18\0" + bytes(7 * 3 + 3)
HIDES = {
    "an extra field": extra(0x9999, TEXT),
    "a time with letters": extra(0x000A, TEXT),
    "padding with letters": extra(0xA220, b"\x28\xa0\2\0" + TEXT),
    "bytes between files": between(TEXT),
    "bytes before the end of the list": before_end(TEXT),
    "an extra field of gzip": GZIP[:3] + b"\4" + GZIP[4:10] + len(TEXT).to_bytes(2, "little") + TEXT + GZIP[10:],
    "padding in tar": written(tarred("a.txt", b"x"), 600, TEXT),
    "bytes behind the end of tar": written(tarred("a.txt", b"x"), -200, TEXT),
}


@pytest.mark.parametrize("name", sorted(HIDES))
def test_bytes_that_are_no_file_leave_an_archive_not_whole(name: str) -> None:
    """What nobody has looked at may say anything."""
    assert read(HIDES[name]).reasons


@pytest.mark.parametrize(
    "data",
    [
        extra(0x5455, b"\1" + bytes(4)),
        extra(0x000A, NTFS),
        extra(0xA220, b"\x28\xa0\2\0" + bytes(40)),
        between(bytes(40)),
    ],
)
def test_times_and_padding_say_nothing(data: bytes) -> None:
    """Programs write them into every ZIP."""
    assert read(data).reasons == []


def test_a_streamed_zip_is_whole() -> None:
    """Its members are described behind their contents."""

    class Stream(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, some: bytes) -> int:  # type: ignore[override]
            self.data += bytes(some)
            return len(some)

    target = Stream()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        archive.writestr("a.txt", TEXT)
        archive.writestr("b.txt", b"x")
    assert read(target.data).reasons == []


@pytest.mark.parametrize("at", [20, 180, 280, 310, 480])
def test_words_behind_the_names_in_tar_are_read(at: int) -> None:
    """A name ends where a zero stands; its field goes on."""
    data = written(tarred("a.txt", b"x"), at, TEXT)
    whole = sum(data[:148]) + 8 * 32 + sum(data[156:512])
    assert ID in read(written(data, 148, b"%06o\0 " % whole)).all


def test_each_name_of_gzip_is_read() -> None:
    """Of the second file in one, too, and a long one to its end."""
    named = GZIP[:3] + b"\x10" + GZIP[4:10] + b"x" * 5000 + TEXT + b"\0" + GZIP[10:]
    assert ID in read(GZIP + named).all
