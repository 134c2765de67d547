"""Recordings and films: what their tags say. What is heard and seen is not read here, so they are never whole."""

import warnings
from importlib.util import find_spec
from io import BytesIO

from gateway.attachments.worker.charset import runs
from gateway.attachments.worker.parts import Budget, Inside, Parts, Reason, Unread
from gateway.core.attachment import Piece

_ENDS = 64 * 1024  # bytes at both ends, where tags stand


def read(data: bytes, budget: Budget) -> Parts:
    """Yield title, artist, comments and pictures of a recording."""
    yield Unread(reason=Reason.RECORDING)
    if find_spec("tinytag") is None:
        yield from _letters(data)
    else:
        yield from _tags(data)


def _tags(data: bytes) -> Parts:
    import tinytag

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tags = tinytag.TinyTag.get(file_obj=BytesIO(data), filename="recording", image=True, duration=False)
    except (tinytag.TinyTagException, OSError, ValueError):
        yield from _letters(data)
        return
    words = [str(value) for values in tags.as_dict().values() if isinstance(values, list) for value in values]
    if words:
        yield Piece(place="tags", text="\n".join(words))
    else:
        yield from _letters(data)
    image = tags.images.any
    if image is not None and image.data:
        yield Inside(place="cover", data=image.data)


def _letters(data: bytes) -> Parts:
    """Yield what can be read in a recording whose tags nobody knows."""
    words = runs(data[:_ENDS]) + (runs(data[-_ENDS:]) if len(data) > _ENDS else [])
    if words:
        yield Piece(place="tags", text="\n".join(words))
