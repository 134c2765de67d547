"""The document is deeply immutable, whole, and survives a round trip."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.document import encode, freeze, freeze_object, strings, thaw

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_what_was_parsed_is_what_is_sent(value):
    """Freezing and encoding lose nothing."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # lone surrogates: refused by the parser before they get here
        return
    assert json.loads(encode(freeze(value))) == value
    assert thaw(freeze(value)) == value


@given(JSON)
def test_every_string_is_walked(value):
    """Every key and every value of a document is yielded, wherever it stands."""

    def count(item):
        match item:
            case str():
                return [item]
            case int() | float() if abs(item) >= 1_000_000:
                return [str(int(item)) if item == int(item) else repr(item)]
            case list():
                return [text for child in item for text in count(child)]
            case dict():
                return [text for key, child in item.items() for text in [key, *count(child)]]
            case _:
                return []

    assert sorted(text for _, text in strings(freeze(value))) == sorted(count(value))


def test_long_numbers_are_texts_too():
    """A card number that is sent as a number is still a card number."""
    document = freeze_object({"a": 4111111111111111, "b": [4111111111111111.0, 12, True], "c": -1234567.5})
    found = [text for path, text in strings(document) if not path.endswith("~key")]
    assert found == ["4111111111111111", "4111111111111111", "-1234567.5"]


def test_nobody_can_change_it():
    """A frozen document changes neither through itself nor through the containers that it was made from."""
    inner = ["a"]
    outer = {"messages": [{"content": inner}]}
    document = freeze_object(outer)
    with pytest.raises(TypeError):
        document["messages"] = ()
    with pytest.raises(TypeError):
        document["messages"][0]["content"] = "b"
    inner.append("b")
    outer["messages"].append("c")
    assert encode(document) == b'{"messages":[{"content":["a"]}]}'


def test_paths_say_where():
    """Each text comes with a path as a person would write it."""
    document = freeze_object({"messages": [{"role": "user", "content": "hi"}]})
    assert ("$.messages[0].content", "hi") in list(strings(document))
    assert ("$.messages[0].role~key", "role") in list(strings(document))


def test_no_two_places_have_one_path():
    """A key with signs in it that read like steps is quoted, so that nothing passes for what stands elsewhere."""
    keys = ["b", "b.c", "b[0]", "b[0].c", "b~key", "~key", 'b["c"]', "b c", "", "0", "[0]", 'b"]["c', '["b.c"]']
    document = freeze_object(
        {"a": dict.fromkeys(keys, "x") | {"d": {"c": "x", "": {"": "x"}}, "e": [["x", {"c": "x"}]]}}
    )
    paths = [path for path, _ in strings(document)]
    assert len(paths) == len(set(paths))
    assert '$.a["b.c"]' in paths
    assert '$.a["b.c"]~key' in paths


def test_only_json_is_taken():
    """An object that is not JSON is refused."""
    with pytest.raises(TypeError, match="not a JSON value"):
        freeze({"a": object()})
