"""JSON schemas: followed where they can be, refused with a reason where not, and bounded in what they cost."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.core.errors import BadRequest
from gateway.engine.llama.vocabulary import Vocabulary, open_vocabulary
from gateway.engine.sampling.grammar import (
    LONGEST_SCHEMA,
    GrammarCompiler,
    GrammarFault,
    gbnf_grammar,
    json_grammar,
    schema_of,
)


@pytest.fixture(scope="module")
def vocabulary(starter: Path) -> Iterator[Vocabulary]:
    """The starter model's tokens, without its weights."""
    with open_vocabulary(starter) as vocabulary:
        yield vocabulary


PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def chain(length: int, link: Callable[[str], dict[str, object]]) -> dict[str, object]:
    """Definitions, each of which refers to the next."""
    parts: dict[str, object] = {f"d{number}": link(f"#/$defs/d{number + 1}") for number in range(length)}
    return {"$ref": "#/$defs/d0", "$defs": parts | {f"d{length}": {"type": "string"}}}


LINKS: list[Callable[[str], dict[str, object]]] = [
    lambda to: {"$ref": to},
    lambda to: {"type": "object", "properties": {"a": {"$ref": to}}},
    lambda to: {"type": "array", "items": {"$ref": to}},
    lambda to: {"anyOf": [{"$ref": to}, {"type": "null"}]},
    lambda to: {"$ref": to.replace("#/$defs", "https://schemas.invalid")},
]


@pytest.mark.parametrize(
    "schema",
    [{"type": "nonsense"}, {"$ref": "#/missing"}, True, 3, {"type": "string", "pattern": "(?<=a)b"}],
)
def test_schemas_that_can_not_be_enforced(schema: object) -> None:
    """A schema that can't be enforced gives a clear 400 instead of an answer that ignores it."""
    with pytest.raises(BadRequest, match="schema"):
        json_grammar(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}},
        {
            "properties": {"x": {"$ref": "#/$defs/a~1b"}},
            "$defs": {"a/b": {"$ref": "#/$defs/c"}, "c": {"$ref": "#/$defs/a~1b"}},
        },
    ],
)
def test_references_in_a_circle(schema: object) -> None:
    """References in a circle, which no text could follow, are refused before anything is computed."""
    with pytest.raises(BadRequest, match="back to itself"):
        json_grammar(schema)


def test_references_that_end() -> None:
    """A tree that contains itself, and a hundred references in a row, are no circle."""
    node = {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}}
    assert json_grammar(node)
    for link in LINKS[:-1]:
        assert json_grammar(chain(100, link))


@pytest.mark.parametrize("link", LINKS)
def test_references_that_lead_too_deep(link: Callable[[str], dict[str, object]]) -> None:
    """A clear 400: followed to their end, they would cost the process its stack and everybody their answers."""
    with pytest.raises(BadRequest, match="levels"):
        json_grammar(chain(2000, link))


def test_a_schema_that_is_too_long() -> None:
    """A schema that is too long is refused by its length."""
    with pytest.raises(BadRequest, match="characters"):
        json_grammar({"enum": ["x" * LONGEST_SCHEMA]})


def test_response_formats() -> None:
    """The format text has no schema, json_object any object, json_schema its own."""
    assert schema_of("text", None) is None
    assert schema_of("json_object", None) == {"type": "object"}
    assert schema_of("json_schema", PERSON) == PERSON
    with pytest.raises(BadRequest):
        schema_of("json_schema", None)


@pytest.mark.model
def test_only_what_the_schema_allows_is_permitted(vocabulary: Vocabulary) -> None:
    """Every token of a valid document is permitted in its turn; then nothing more is."""
    constraint = GrammarCompiler(vocabulary).compile(json_grammar(PERSON))
    tokens = vocabulary.tokenize('{"name": "Ana", "age": 7}', add_special=False, parse_special=False)
    wrong = vocabulary.tokenize("Sure", add_special=False, parse_special=False)[0]
    assert not constraint.permits(wrong)
    assert not constraint.allowed()[wrong]
    for token in tokens[:-1]:
        assert constraint.permits(token)
        assert constraint.allowed()[token]
        assert not constraint.took(token)
    assert constraint.took(tokens[-1])


@pytest.mark.model
@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "((a{1,600}){1,600}){1,600}"},
        {"type": "string", "pattern": "(a|aa|aaa|[ab]{1,300}c){1,2000}"},
    ],
)
def test_grammars_that_explode(schema: object, vocabulary: Vocabulary) -> None:
    """A grammar that explodes is refused at the start or on the way; it is never computed without end."""

    def follow() -> None:
        constraint = GrammarCompiler(vocabulary).compile(json_grammar(schema))
        letter = vocabulary.tokenize("a", add_special=False, parse_special=False)[0]
        constraint.took(vocabulary.tokenize('"', add_special=False, parse_special=False)[0])
        for _ in range(2000):
            constraint.allowed()
            constraint.took(letter)

    with pytest.raises((GrammarFault, BadRequest)):
        follow()


@pytest.mark.model
def test_two_answers_to_one_schema_don_t_disturb_each_other(vocabulary: Vocabulary) -> None:
    """Two answers to one schema share the compiled grammar, not how far they have followed it."""
    compiler, grammar = GrammarCompiler(vocabulary), json_grammar(PERSON)
    one, other = compiler.compile(grammar), compiler.compile(grammar)
    brace = vocabulary.tokenize("{", add_special=False, parse_special=False)[0]
    one.took(brace)
    assert other.permits(brace)
    assert not one.permits(brace)


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        ('root ::= "yes" | "no"', True),
        ('root ::= item+\nitem ::= "- " [a-z]+ "\\n"', True),
        ('root ::= "unfinished', False),
        ("no grammar at all", False),
        ('start ::= "no root"', False),
        ("(" * 5000, False),
    ],
)
def test_llama_cpps_grammars_are_enforced_or_refused(text: str, readable: bool) -> None:
    """A grammar in GBNF becomes one that can be enforced; one that can't be read is the client's mistake."""
    if readable:
        assert gbnf_grammar(text)
        return
    with pytest.raises(BadRequest) as caught:
        gbnf_grammar(text)
    assert caught.value.param == "grammar"
