"""A request body is strict JSON that becomes a frozen object, or a BadRequest."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.document import encode, thaw
from gateway.core.errors import BadRequest, TooLarge
from gateway.wire.json_body import MOST_VALUES, parse_object

BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "blank": (b" \r\n", "empty"),
    "array": (b"[]", "must be a JSON object"),
    "text": (b'"hi"', "must be a JSON object"),
    "cut": (b'{"a": 1', "not valid JSON"),
    "more behind it": (b'{"a": 1} {}', "not valid JSON"),
    "trailing comma": (b'{"a": 1,}', "not valid JSON"),
    "comment": (b'{"a": 1 /* x */}', "not valid JSON"),
    "10,000 deep": (b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "too deep"),
    "10,000 objects deep": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "too deep"),
    "5,000 digits": (b'{"a":' + b"9" * 5000 + b"}", "too large"),
    "65 bits": (b'{"a":18446744073709551616}', "64 bits"),
    "negative 65 bits": (b'{"a":-9223372036854775809}', "64 bits"),
    "NaN": (b'{"a":NaN}', "not valid JSON"),
    "Infinity": (b'{"a":Infinity}', "not valid JSON"),
    "-Infinity": (b'{"a":-Infinity}', "not valid JSON"),
    "1e400": (b'{"a":1e400}', "too large"),
    "-1e400 inside": (b'{"a":[{"b":-1e400}]}', "too large"),
    "lone surrogate": (b'{"a":"\\ud800"}', "surrogates"),
    "lone surrogate in a key": (b'{"\\udc00":1}', "escape"),
    "raw surrogate": (b'{"a":"\xed\xa0\x80"}', "UTF-8"),
    "NUL": (b'{"a":"x\\u0000y"}', "NUL"),
    "NUL in a key": (b'{"x\\u0000y":1}', "NUL"),
    "raw NUL": (b'{"a":"x\0y"}', "not valid JSON"),
    "raw line break": (b'{"a":"x\ny"}', "not valid JSON"),
    "invalid UTF-8": (b'{"a":"\xff"}', "UTF-8"),
    "byte order mark": (b'\xef\xbb\xbf{"a":1}', "byte order mark"),
    "UTF-16": ('{"a":1}'.encode("utf-16"), "byte order mark"),
    "duplicate key": (b'{"a":1,"a":2}', "twice"),
    "duplicate key, escaped": (b'{"a":1,"\\u0061":2}', "twice"),
    "duplicate key inside": (b'{"x":[{"b":{"a":1,"a":2}}]}', "twice"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_bodies_are_refused_with_a_reason(name: str) -> None:
    """A body that two parsers could read in two ways is refused, and the error says what is wrong."""
    body, words = BAD[name]
    with pytest.raises(BadRequest, match=words) as caught:
        parse_object(body)
    assert (caught.value.status, caught.value.code) == (400, "invalid_json")


def test_messages_do_not_repeat_the_body() -> None:
    """An error names the place and not what stands there, because errors may be logged."""
    with pytest.raises(BadRequest) as caught:
        parse_object(b'{"my secret":1,\n "my secret":2}')
    assert "secret" not in caught.value.message
    assert "line 2" in caught.value.message


def test_the_document_is_deeply_immutable() -> None:
    """Nobody can change a document that was inspected, at any depth."""
    document = parse_object(b'{"a":{"b":[1,{"c":2}]}}')
    inner = document["a"]
    with pytest.raises(TypeError):
        document["x"] = 1  # type: ignore[index]
    with pytest.raises(TypeError):
        inner["b"] = ()  # type: ignore[index,call-overload]
    assert isinstance(inner["b"], tuple)  # type: ignore[index,call-overload]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), JSON, max_size=4))
def test_a_good_body_survives_unchanged(document: dict[str, object]) -> None:
    """A body that is parsed and encoded again means the same."""
    frozen = parse_object(json.dumps(document).encode())
    assert thaw(frozen) == document
    assert json.loads(encode(frozen)) == document


MANY = MOST_VALUES + 1


@pytest.mark.parametrize(
    "body",
    [
        b'{"x":[' + b"1," * MANY + b"1]}",
        b'{"x":[' + b"[]," * MANY + b"1]}",
        b'{"x":[' + b'"a",' * MANY + b"1]}",
        b'{"x":[' + b'{"a":1},' * MANY + b"1]}",
        b'{"x":[' + b'"a\\\\",' * MANY + b"1]}",
        b'{"x":[' + b'"a\\"",' * MANY + b"1]}",
    ],
    ids=["numbers", "arrays", "strings", "objects", "strings that end in a backslash", "strings with quotation marks"],
)
def test_more_values_than_any_request_has_are_refused(body: bytes) -> None:
    """They are counted before they are made, so that no body takes gigabytes: 413, with the bound in the message."""
    with pytest.raises(TooLarge, match="500,000 values") as caught:
        parse_object(body)
    assert caught.value.status == 413


@pytest.mark.parametrize(
    "document",
    [
        {"input": ["a text to embed, with commas, and so on"] * 2048},
        {"prompt": list(range(300_000))},
        {"table": "1,2,3\n" * MANY},
        {"code": 'f("a", [1, 2], {"b": 3})\n' * 100_000},
        {"tools": [{"name": f"t{n}", "parameters": {"type": "object", "required": ["a"]}} for n in range(20_000)]},
    ],
    ids=["2,048 inputs", "300,000 tokens", "a table in a text", "code in a text", "megabytes of schemas"],
)
def test_large_requests_are_far_from_the_bound(document: dict[str, object]) -> None:
    """The longest inputs that APIs allow pass, and commas inside texts don't count."""
    assert thaw(parse_object(json.dumps(document).encode())) == document


@given(
    st.binary(max_size=200) | st.text(max_size=100).map(lambda text: json.dumps({"a": text}).encode("utf-8", "replace"))
)
def test_any_bytes_give_an_object_or_a_bad_request(body: bytes) -> None:
    """Any bytes give an object or a BadRequest, and so never a 500."""
    with contextlib.suppress(BadRequest):
        parse_object(body)
