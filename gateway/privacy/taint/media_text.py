"""Pictures, recordings and films as base64 in the memory of texts: the beginning of one stands for all of it. Pure.

The very same file is known again by its own hash. Passages of its whole base64 would take half a minute of a core and
a million hashes for twenty megabytes, and nobody quotes a picture in part.
"""

import base64
import binascii
import re

from gateway.privacy.decoding.contents import medium_of
from gateway.privacy.patterns import late

KEPT = 64 * 1024  # characters
_HEAD = 128
_URL = late(r"data:[\w.+/;=-]{0,200};base64,", re.IGNORECASE)
_BASE64 = late(r"[A-Za-z0-9+/]+={0,2}")


def remembered_part(text: str) -> str:
    """Return a text as it is remembered: whole, but of a long medium in base64 and nothing else its beginning."""
    if len(text) <= KEPT:
        return text
    found = _URL.match(text)
    begin = found.end() if found is not None else 0
    try:
        data = base64.b64decode(text[begin : begin + _HEAD], validate=True)
    except (binascii.Error, ValueError):
        return text
    if medium_of(data) is None or _BASE64.fullmatch(text, begin) is None:
        return text
    return text[:KEPT]
