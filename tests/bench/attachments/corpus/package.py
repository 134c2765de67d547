"""Office files as zip packages whose parts are changed."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import datetime

from tests.bench.attachments.corpus.layouts import Content

Place = Callable[[Content, str], bytes]
THEN = datetime(2024, 5, 3)  # files carry no time zone
_OF_TEMPLATES = ("docProps/thumbnail.jpeg", "ppt/printerSettings/printerSettings1.bin")


def repacked(data: bytes, change: dict[str, Callable[[str], str]], more: dict[str, bytes] | None = None) -> bytes:
    """Return a zip file with changed and further parts."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            if item.filename in _OF_TEMPLATES:
                continue
            part = old.read(item)
            if item.filename.endswith(".rels"):
                part = re.sub(rb"<Relationship [^>]*(?:thumbnail|printerSettings1)[^>]*/>", b"", part)
            if item.filename in change:
                part = change[item.filename](part.decode()).encode()
            new.writestr(zipfile.ZipInfo(item.filename), part, zipfile.ZIP_DEFLATED)
        for name, part in (more or {}).items():
            new.writestr(zipfile.ZipInfo(name), part, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def saved(document: object) -> bytes:
    """Return the file, without the little picture and the printer of the libraries' templates: programs save none."""
    target = io.BytesIO()
    document.save(target)  # type: ignore[attr-defined]
    return repacked(target.getvalue(), {})
