"""YAML that can be read in two ways is refused; everything else knows where it stands."""

import pytest

from gateway.core.errors import ConfigurationError
from gateway.core.yaml_source import Position, known_names, parse_yaml, suggest


def test_values_are_what_a_person_means():
    """YAML 1.2: `on` is a word, times and units stay text, numbers are numbers."""
    source = parse_yaml("[on, no, 22:00-06:00, 0.50 EUR, 32k, 2026-01-01, 7, 2.5, true, null]", "f")
    assert source.value == ["on", "no", "22:00-06:00", "0.50 EUR", "32k", "2026-01-01", 7, 2.5, True, None]


def test_every_value_knows_its_place():
    """Line and column count from 1; what does not stand in the file has its parent's place."""
    source = parse_yaml("a:\n  - b: 1\n    c: 2\n", "f.yaml")
    assert source.where(("a", 0, "c")) == Position("f.yaml", 3, 5)
    assert source.where(("a", 0, "missing")) == source.where(("a", 0))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3", "f.yaml:3:1: the key 'a' stands twice in one mapping (first in line 1)"),
        ("a: {b: 1, b: 2}", "f.yaml:1:11: the key 'b' stands twice"),
        ("a: !!python/object:os.system ls", "is not used here"),
        ("a: !!int five", "is not what its tag"),
        ("[a]: 1", "a key must be a plain word"),
        ("a: [1", "f.yaml:"),
        ("a: 1\n---\nb: 2", "f.yaml:2:1: a second document begins here"),
        ("\x01", "f.yaml:1:1: the character U+0001"),
        ("a:\n\u00a0\u00a0b: 1", "f.yaml:2:1: beside this key stands a space of another kind"),
        ("a: " + "[" * 100 + "]" * 100, "nests or repeats too much"),
        (
            "a: &a [x, x, x, x, x, x, x, x, x]\n"
            + "\n".join(f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]" for i in range(8)),
            "nests or repeats too much",
        ),
    ],
)
def test_doubtful_files_are_refused_with_their_place(text, expected):
    """Duplicate keys, custom tags and bombs end in an error that names the place."""
    with pytest.raises(ConfigurationError) as caught:
        parse_yaml(text, "f.yaml")
    assert expected in str(caught.value)


def test_a_node_that_holds_itself_is_refused():
    """A recursive alias ends in an error, not in a loop."""
    with pytest.raises(ConfigurationError):
        parse_yaml("a: &x [*x]", "f.yaml")


def test_suggestions_are_close_or_absent():
    """A suggestion is only made where one word is near."""
    assert suggest("helth", ["health", "public"]) == " Did you mean 'health'?"
    assert suggest("zzz", ["health", "public"]) == ""


def test_of_many_names_the_three_nearest_are_listed():
    """A few names are listed whole; of forty only those that a typing error may have meant, the nearest first."""
    many = [f"setting_{number}" for number in range(40)] + ["host", "hosts", "port"]
    assert known_names("hst", ["host", "port"]) == " Known here: host, port."
    assert known_names("hst", many).startswith(" The nearest of 43 names known here: host, hosts, ")
    assert known_names("hst", []) == ""
