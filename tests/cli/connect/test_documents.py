"""Settings files are changed in a few places and stay as they were everywhere else."""

import pytest

from gateway.cli.connect.app import Format
from gateway.cli.connect.documents import MISSING, Edit, open_document
from gateway.core.errors import ConfigurationError

CODEX = """\
# mine
model = "gpt-5.5"  # the best

[model_providers.mine]
name = "Mine"    # stays

[projects."/home/me"]
trust_level = "trusted"
"""
CODEX_AFTER = """\
# mine
model = "auto"  # the best
model_context_window = 8

[model_providers.mine]
name = "Mine"    # stays

[model_providers.aduana]
name = "Aduana"

[projects."/home/me"]
trust_level = "trusted"
"""
ZED = """\
// Zed's settings
{
    "font": 16, // "big" {
    "agent": {"on": true, "model": "y"},
    "list": [
        {"name": "other", "x": 1.50} /* first */
    ],
    /* last, with a "}" in it */
}
"""
ZED_AFTER = """\
// Zed's settings
{
    "font": 16, // "big" {
    "agent": {"on": true, "model": "auto"},
    "list": [
        {"name": "other", "x": 1.50}, /* first */
        {
            "name": "aduana",
            "x": 2
        }
    ],
    /* last, with a "}" in it */
    "url": "http://x"
}
"""
CONTINUE = """\
# mine
models:
  - name: Other   # stays
    apiKey: "quoted"
  - name: Aduana
    model: old
    extra: yes
"""
CONTINUE_AFTER = """\
# mine
models:
  - name: Other   # stays
    apiKey: "quoted"
  - name: Aduana
    model: auto
    extra: yes
    roles:
      - chat
name: Aduana
"""
CASES = [
    pytest.param(
        Format.TOML,
        CODEX,
        {"model": "auto", "model_context_window": 8, "model_providers": {"aduana": {"name": "Aduana"}}},
        CODEX_AFTER,
        id="toml",
    ),
    pytest.param(
        Format.JSON,
        ZED,
        {"agent": {"model": "auto"}, "list": [{"name": "aduana", "x": 2}], "url": "http://x"},
        ZED_AFTER,
        id="json with comments",
    ),
    pytest.param(Format.JSON, '{"a": {"b": 1}}', {"a": {"c": 2}}, '{"a": {"b": 1, "c": 2}}', id="json in one line"),
    pytest.param(
        Format.JSON, '{\n\t"a": 1\n}', {"b": {"c": 2}}, '{\n\t"a": 1,\n\t"b": {\n\t\t"c": 2\n\t}\n}', id="tabs"
    ),
    pytest.param(Format.JSON, "{}\n", {"b": 1}, '{\n  "b": 1\n}\n', id="empty object"),
    pytest.param(Format.JSON, '{"é": "ñ"}', {"b": "¿"}, '{"é": "ñ", "b": "¿"}', id="other letters"),
    pytest.param(
        Format.YAML,
        CONTINUE,
        {"models": [{"name": "Aduana", "model": "auto", "roles": ["chat"]}], "name": "Aduana"},
        CONTINUE_AFTER,
        id="yaml",
    ),
    pytest.param(Format.YAML, "# only a comment\n", {"a": 1}, "# only a comment\na: 1\n", id="yaml without a value"),
]


@pytest.mark.parametrize(("kind", "before", "wanted", "after"), CASES)
def test_only_what_is_wanted_changes(kind, before, wanted, after):
    """Comments, order, blanks, quotes and other values stay; a second time nothing changes."""
    document = open_document("settings", before, kind)
    assert document.changed(document.edits_towards(wanted)) == after
    again = open_document("settings", after, kind)
    assert again.edits_towards(wanted) == ()
    assert again.changed(()) == after


@pytest.mark.parametrize(("kind", "before", "wanted", "after"), CASES)
def test_what_was_put_in_can_be_taken_out(kind, before, wanted, after):
    """The edits, turned round, bring back all values."""
    edits = open_document("settings", before, kind).edits_towards(wanted)
    back = [Edit(path=edit.path, before=edit.after, after=edit.before) for edit in reversed(edits) if edit.path]
    restored = open_document("settings", after, kind).changed(back)
    old = open_document("settings", before, kind).data
    assert (open_document("settings", restored, kind).data or None) == (old or None)


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (Format.JSON, '{"a": 1,\n "a": 2}', "line 2: the key 'a' stands there twice"),
        (Format.JSON, '{"a": }', "line 1"),
        (Format.JSON, '{"a": 1} rest', "line 1"),
        (Format.TOML, "a = \n", "line 1"),
        (Format.YAML, "a: [", "line 1"),
        (Format.JSON, "[" * 99_999, "it nests too deep"),
        (Format.TOML, "a = " + "[" * 99_999, "it nests too deep"),
    ],
)
def test_a_broken_file_is_not_touched(kind, text, said):
    """Its place and its fault are told."""
    with pytest.raises(ConfigurationError, match="was not touched") as caught:
        open_document("settings", text, kind)
    assert said in caught.value.problems[0]


def test_a_value_that_stands_for_two_is_not_changed():
    """Changing one mapping would change another one: that is left to the person."""
    document = open_document("settings", "a: &x {k: 1}\nb: *x\n", Format.YAML)
    with pytest.raises(ConfigurationError, match="by hand"):
        document.changed(document.edits_towards({"a": {"k": 2}}))


def test_taking_out_what_is_not_there_changes_nothing():
    """Whoever removed it before has done the work."""
    document = open_document("settings", '{"a": 1}', Format.JSON)
    assert document.changed([Edit(path=("b",), before=1, after=MISSING)]) == '{"a": 1}'


@pytest.mark.parametrize(("kind", "text"), [(Format.JSON, "[1]"), (Format.YAML, "- a\n"), (Format.JSON, '"text"')])
def test_a_file_of_another_shape_is_not_touched(kind, text):
    """A list where a mapping is wanted is somebody else's file."""
    with pytest.raises(ConfigurationError, match="was not touched"):
        open_document("settings", text, kind).edits_towards({"a": 1})
