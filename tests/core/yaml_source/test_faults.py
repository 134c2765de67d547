"""What is wrong with a file that is no YAML is said in plain words: where, what, and what to do."""

import pytest

from gateway.core.errors import ConfigurationError
from gateway.core.yaml_source import decoded, parse_yaml

JARGON = ("scalar", "token", "block", "flow", "mapping", "anchor", "alias", "stream", "simple key")


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a:\n\tb: 1\n", "2:1", ("tab", "spaces in its place")),
        ("rules:\n  - name: x\n  \twhen: y\n", "3:3", ("tab",)),
        ("a:\tb\n", "1:3", ("tab",)),
        ("a:\n  b: 1\n c: 2\n", "3:2", ("1 space,", "like the lines beside it")),
        ("a:\n    b: 1\n  c: 2\n", "3:3", ("2 spaces", "like the lines beside it")),
        ("a: 1\n\n  b: 2\n", "3:3", ("deeper than line 1", "Indent both alike")),
        ("a:\n  - b\n - c\n", "3:2", ("1 space,",)),
        ("a: 1\n- b\n", "2:1", ("item of a list",)),
        ("- a\nb: 1\n", "2:1", ("among the items of a list",)),
        ("message: Note: this\n", "1:14", ("second colon", "quotation marks")),
        ("a\nb: 1\n", "1:1", ("no value", "'name: value'")),
        ("a: 1\nb:2\nc: 3\n", "2:1", ("no value", "space behind the colon")),
        ("a:\n-b\n-c\n", "2:1", ("space behind its dash",)),
        ("a: 1\n---\nb: 2\n", "2:1", ("second document", "file of its own")),
        ("a: 1\n...\nb: 2\n", "3:1", ("second document",)),
        ('a: "x\nb: 2\n', "1:4", ("never closed",)),
        ("a: 'it's'\nb: 1\n", "1:8", ("quotation marks ends before this", "twice")),
        ('a: "C:\\path"\n', "1:8", ("backslash", "twice")),
        ("a: [1, 2\nb: 3\n", "1:4", ("bracket", "not closed", "line 2")),
        ("a: [1, {b: 1 c: 2}]\n", "1:8", ("comma",)),
        ("a: [\n", "2:1", ("never closed",)),
        ("b: [1]]\n", "1:7", ("closes nothing",)),
        ("a: @x\n", "1:4", ("can't begin with @",)),
        ("a: %x\n", "1:4", ("can't begin with %",)),
        ("a: *x\n", "1:4", ("begins with *", "quotation marks")),
        ("a: & b\n", "1:4", ("can't begin with &",)),
        ("a: ? b\n", "1:4", ("question mark",)),
        ("b: 1\n%a: 1\n", "2:1", ()),
        ("%a: 1\n", "1:1", ("can't begin with %",)),
        ("a: |x\n b\n", "1:5", ("next line",)),
        ("b: 1\na: \x00\n", "2:4", ("U+0000", "UTF-8")),
    ],
)
def test_a_fault_is_told_with_its_place_and_what_to_do(text, place, words):
    """Line and column are where a person has to look; no word of the parser's trade stands in the sentence."""
    with pytest.raises(ConfigurationError) as caught:
        parse_yaml(text, "f.yaml")
    (told,) = caught.value.problems
    assert told.startswith(f"f.yaml:{place}: ")
    assert all(word in told for word in words)
    if words:
        assert not any(word in told for word in JARGON)
        assert told.rstrip(".") != told


def test_a_secret_beside_a_fault_is_not_repeated():
    """What a file says may be a key: no sentence has it."""
    for text in ("key: sk-verysecret: x\n", 'key: "sk-verysecret\n', "key: @sk-verysecret\n", "sk-verysecret\nb: 1\n"):
        with pytest.raises(ConfigurationError) as caught:
            parse_yaml(text, "f.yaml")
        assert "verysecret" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("a: 1\nb: caf\u00e9\n".encode("cp1252"), "f.yaml:2:7: the byte 0xE9 is not UTF-8"),
        ("a: 1\n".encode("utf-16"), "f.yaml:1:1: the file is saved as UTF-16. Save it as UTF-8."),
    ],
)
def test_a_file_in_another_encoding_is_told_with_its_line(data, told):
    """The byte that can't be read has a place like every other fault."""
    with pytest.raises(ConfigurationError) as caught:
        decoded(data, "f.yaml")
    assert told in str(caught.value)


def test_a_file_from_windows_is_the_same_file():
    """Ends of lines, and a mark in front, are no faults: the text, and so a policy's digest, is as elsewhere."""
    assert decoded(b"a: 1\r\nb: 2\r\n", "f") == "a: 1\nb: 2\n"
    assert parse_yaml(decoded(b"\xef\xbb\xbfa: 1\r\n", "f"), "f").value == {"a": 1}
