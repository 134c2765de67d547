"""Archives: files in files, and what stands in an archive beside its files."""

# ruff: noqa: E501 - tables are read by their rows

import bz2
import gzip
import io
import random
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping

from tests.bench.attachments.corpus.facts import HARMLESS, fact
from tests.bench.attachments.corpus.layouts import Content, clean
from tests.bench.attachments.corpus.pdfs import flowing
from tests.bench.attachments.corpus.sample import Sample


def zipped(files: Mapping[str, bytes], comment: bytes = b"") -> bytes:
    """Return a zip file, the same each time."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number, (name, data) in enumerate(files.items()):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED if number else zipfile.ZIP_STORED)
        archive.comment = comment
    return target.getvalue()


def _text(content: Content, told: str = "") -> bytes:
    return "\n".join((content.title, *content.paragraphs, told)).encode()


def _tar(content: Content, told: str, mode: str = "w") -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in (("read.txt", _text(content)), ("notes.txt", told.encode())):
            item = tarfile.TarInfo(name)
            item.size = len(data)
            archive.addfile(item, io.BytesIO(data))
    return target.getvalue()


def _nested(content: Content, told: str) -> bytes:
    inner = zipped({"a.txt": _text(content), "b/notes.txt": told.encode()})
    return zipped({"read.txt": _text(content), "more.zip": zipped({"inner.zip": inner})})


PLACES: dict[str, tuple[str, Callable[[Content, str], bytes]]] = {
    "text": ("zip", lambda content, told: zipped({"read.txt": _text(content), "notes.txt": told.encode()})),
    "zip in a zip in a zip": ("zip", _nested),
    "PDF": ("zip", lambda content, told: zipped({"a.txt": _text(content), "b.pdf": flowing(Content(title="Annex", paragraphs=(told,)))})),
    "name of a file": ("zip", lambda content, told: zipped({"a.txt": _text(content), f"{told.replace('/', '-')}.txt": b"ok"})),
    "comment": ("zip", lambda content, told: zipped({"a.txt": _text(content)}, told.encode())),
    "no ending": ("zip", lambda content, told: zipped({"a.txt": _text(content), "DATA": told.encode("utf-16")})),
    "gzip": ("gz", lambda content, told: gzip.compress(_text(content, told), mtime=0)),
    "bzip2": ("bz2", lambda content, told: bz2.compress(_text(content, told))),
    "tar": ("tar", _tar),
    "tar, gzip": ("tgz", lambda content, told: _tar(content, told, "w:gz")),
}  # fmt: skip


def samples(rng: random.Random) -> Iterator[Sample]:
    """Yield every place with a value, and every fourth without one."""
    for number, (place, (ending, make)) in enumerate(PLACES.items()):
        language = rng.choice(("es", "en"))
        one = fact(rng, language, short=True)
        content = clean(rng, language)
        yield Sample(
            name=f"archive-{number}.{ending}", data=make(content, one.told), kind="archive", case=place,
            values=(one.value,), told=content.beside(one),
        )  # fmt: skip
        if number % 4 == 0:
            data = make(clean(rng, language), HARMLESS[language])
            yield Sample(name=f"archive-{number}-clean.{ending}", data=data, kind="archive", case=place)
