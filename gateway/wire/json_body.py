"""Parse request bodies: bytes → one deeply immutable JSON object, or a `BadRequest` that says where it is broken. Pure.

Stricter than JSON on purpose. Whatever two parsers could read in two ways (a key that stands twice, a number that
does not fit, half a surrogate pair) would let a client show one text to the inspection and another to the target.
Error messages never repeat the body's text: they may be logged.
"""

import re
from math import isfinite
from types import MappingProxyType

import jiter

from gateway.core.document import Json, JsonObject
from gateway.core.errors import BadRequest, TooLarge

MOST_VALUES = 500_000
"""Values in a body, keys included: far more than any request has, and no more than can be looked at in seconds."""
_CHUNK = 1 << 16
_INT_LOW = -(2**63)
_INT_HIGH = 2**64 - 1
_LARGEST_EXACT = 2.0**53  # up to here a float has every whole number
_PLACE = re.compile(r"^(?P<what>.*) at line (?P<line>\d+) column (?P<column>\d+)$", re.DOTALL)
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def parse_object(body: bytes) -> JsonObject:
    """Return the body as a frozen JSON object.

    Nesting is bounded by the parser (200 levels), so later walks over the document can't exhaust the stack.

    Raises:
        BadRequest: the body is anything else.
        TooLarge: it has more values than any request needs; they are counted before they are made.
    """
    if not body.strip():
        raise _bad("The body is empty. Send a JSON object.")
    if body.startswith(_BYTE_ORDER_MARKS):
        raise _bad("The body begins with a byte order mark. Send plain UTF-8 without one.")
    if _separators(body) > MOST_VALUES:
        raise TooLarge(f"The body has more than {MOST_VALUES:,} values. Send fewer in one request.")
    try:
        value = jiter.from_json(body, catch_duplicate_keys=True, allow_inf_nan=False, cache_mode="keys")
    except ValueError as error:
        raise _bad(_explain(str(error))) from None
    if type(value) is not dict:
        raise _bad("The body must be a JSON object.")
    return _object(value)


def parse_request(body: bytes, unnamed: str) -> JsonObject:
    """Return the body as a frozen JSON object that names a model: `unnamed`, if it has none itself.

    Raises:
        BadRequest: the body is no JSON object.
        TooLarge: it has more values than any request needs.
    """
    document = parse_object(body)
    if unnamed and document.get("model") in (None, ""):
        return MappingProxyType({**document, "model": unnamed})
    return document


def _separators(body: bytes) -> int:
    """Return how many commas, colons and brackets stand outside strings, at least up to `MOST_VALUES`: one a value.

    The first count also has those inside strings, and is enough for nearly every body.
    """
    if sum(map(body.count, (b",", b":", b"[", b"{"))) <= MOST_VALUES:
        return 0
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    found, inside = 0, 0
    for at in range(0, len(body), _CHUNK):
        parts = body[at : at + _CHUNK].split(b'"')
        outside = b"".join(parts[inside::2])
        found += sum(map(outside.count, (b",", b":", b"[", b"{")))
        if found > MOST_VALUES:
            break
        inside ^= (len(parts) - 1) & 1
    return found


def _object(value: dict[str, object]) -> JsonObject:
    # Texts are looked at here, and objects of lists there: a call for each value would cost more than the look.
    frozen: dict[str, Json] = {}
    for key, item in value.items():
        if "\0" in key:
            raise _bad("A key of the body has a NUL character, which is not accepted.")
        if type(item) is str:
            if "\0" in item:
                raise _nul()
            frozen[key] = item
        else:
            frozen[key] = _freeze(item)
    return MappingProxyType(frozen)


def _freeze(value: object) -> Json:
    # Exact types, most frequent first: this runs once for nearly every value of every request.
    if type(value) is str:
        if "\0" in value:
            raise _nul()
        return value
    if type(value) is dict:
        return _object(value)
    if type(value) is list:
        return tuple([_object(item) if type(item) is dict else _freeze(item) for item in value])
    if type(value) is int:
        if not _INT_LOW <= value <= _INT_HIGH:
            raise _bad("A whole number of the body does not fit 64 bits.")
        return value
    if type(value) is float:
        if not isfinite(value):
            raise _bad("A number of the body is too large.")
        # JSON knows one kind of number: some clients write 100 as 100.0, which others take for no whole number.
        return int(value) if -_LARGEST_EXACT <= value <= _LARGEST_EXACT and value.is_integer() else value
    if value is None or type(value) is bool:
        return value
    raise _bad("The body has a value that is not JSON.")


def _nul() -> BadRequest:
    # Code in C ends a string there: what is inspected would not be what is read.
    return _bad("A string of the body has a NUL character, which is not accepted.")


def _explain(problem: str) -> str:
    """Say what the parser complains of, without the body's own words."""
    found = _PLACE.match(problem)
    what = found["what"] if found else problem
    place = f" (line {found['line']}, column {found['column']})" if found else ""
    if what.startswith("Detected duplicate key"):
        return f"The same key stands twice in one object of the body{place}. Keep one of them."
    if what.startswith("recursion limit"):
        return f"The body nests too deep{place}."
    if what.startswith("number out of range"):
        return f"A number of the body is too large{place}."
    if "hex escape" in what or "surrogate" in what:
        return f"The body has a broken \\u escape{place}: surrogates stand in pairs."
    if "unicode code point" in what:
        return f"The body is not valid UTF-8{place}."
    return f"The body is not valid JSON{place}."


def _bad(message: str) -> BadRequest:
    return BadRequest(message, code="invalid_json")
