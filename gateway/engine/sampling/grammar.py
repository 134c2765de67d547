"""Answers that must follow a JSON schema, by llguidance, which is imported only when somebody asks for one.

Bounds are ours: a grammar that needs more than these is refused with a message, not computed.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from gateway.core.errors import BadRequest
from gateway.engine.llama.vocabulary import Vocabulary

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLParserLimits, LLTokenizer
    from llguidance._lib import JsonCompileOptions

LONGEST_SCHEMA = 256 * 1024  # characters
# llguidance goes down a schema by recursion, and a process that runs out of stack (8 MiB) is gone: 3,000 levels do it.
DEEPEST_SCHEMA = 1_000  # levels, definitions that are referred to included
_ITEMS_PER_STEP = 20_000
_LEXER_STATES = 50_000
_REMEMBERED = 32  # compiled grammars
_OPTIONS: "JsonCompileOptions" = {
    "whitespace_flexible": True,
    "whitespace_pattern": r"[ \n\t]{0,24}",  # models may indent, but not for ever
}


class GrammarFault(Exception):
    """Reason why a grammar can't be used."""


def json_grammar(schema: object) -> str:
    """Compile a JSON schema (`{"type": "object"}` for any object) to llguidance's grammar, as text.

    Raises:
        BadRequest: the schema is too long or too deep, or can't be enforced.
    """
    from llguidance import LLMatcher

    text = _checked(schema, "response_format")
    try:
        grammar = LLMatcher.grammar_from_json_schema(text, overrides=_OPTIONS)
    except ValueError as error:
        raise BadRequest(f"The JSON schema can't be used: {error}", param="response_format") from error
    return _enforceable(grammar, "response_format")


def lark_grammar(source: str, schemas: Iterable[object], param: str) -> str:
    """Compile a grammar in llguidance's Lark dialect that holds answers to these schemas, as text.

    Raises:
        BadRequest: a schema is too long or too deep, or can't be enforced; `param` is where it stood.
    """
    from llguidance import LLMatcher

    for schema in schemas:
        _checked(schema, param)
    return _enforceable(LLMatcher.grammar_from_lark(source), param)


def _enforceable(grammar: str, param: str) -> str:
    from llguidance import LLMatcher

    wrong, notes = LLMatcher.validate_grammar_with_warnings(grammar, None, limits=_limits())
    if wrong:
        raise BadRequest(f"The JSON schema can't be enforced: {_short(notes[0])}", param=param)
    return grammar


def _checked(schema: object, param: str) -> str:
    """Return the text of a schema that can be looked at without danger.

    Raises:
        BadRequest: it is too long or too deep, or never ends.
    """
    text = json.dumps(schema, ensure_ascii=False)
    if len(text) > LONGEST_SCHEMA:
        raise BadRequest(
            f"The JSON schema has {len(text)} characters; up to {LONGEST_SCHEMA} are accepted.", param=param
        )
    levels = _levels(schema)
    if levels > DEEPEST_SCHEMA:
        raise BadRequest(
            f"The JSON schema and what it refers to have {levels} levels; up to {DEEPEST_SCHEMA} are accepted. "
            "Use fewer or flatter definitions.",
            param=param,
        )
    looping = _looping(schema)
    if looping:
        raise BadRequest(f"The JSON schema can't be used: '$ref' {looping[:100]!r} leads back to itself.", param=param)
    return text


def gbnf_grammar(text: str) -> str:
    """Translate a grammar in llama.cpp's GBNF to llguidance's, as text.

    Raises:
        BadRequest: it can't be read, or can't be enforced.
    """
    from llguidance import LLMatcher
    from llguidance.gbnf_to_lark import gbnf_to_lark

    try:
        grammar = LLMatcher.grammar_from_lark(gbnf_to_lark(text))
    except Exception as error:
        raise BadRequest("The grammar can't be read: it must be in llama.cpp's GBNF.", param="grammar") from error
    wrong, notes = LLMatcher.validate_grammar_with_warnings(grammar, None, limits=_limits())
    if wrong:
        raise BadRequest(f"The grammar can't be enforced: {_short(notes[0])}", param="grammar")
    return grammar


def _levels(schema: object) -> int:
    """Return how deep the schema can be followed at most: its own levels, and those of all that it refers to."""
    items = [schema]
    for item in items:  # grows while it is gone through
        items.extend(_children(item))
    heights: dict[int, int] = {}
    for item in reversed(items):
        heights[id(item)] = 1 + max((heights[id(child)] for child in _children(item)), default=0)
    references = {item["$ref"] for item in items if isinstance(item, Mapping) and isinstance(item.get("$ref"), str)}
    whole = heights[id(schema)]
    # INVARIANT: a reference that can't be followed here may lead anywhere, so it counts as the whole.
    return whole + sum(heights.get(id(_referred(schema, reference)), whole) for reference in references)


def _children(item: object) -> Iterable[object]:
    return item.values() if isinstance(item, Mapping) else item if isinstance(item, list | tuple) else ()


def _looping(schema: object) -> str:
    """Return a reference that refers only to references, in a circle: no text can follow it. Empty: there is none."""
    stack: list[object] = [schema]
    ended: set[str] = set()  # followed before, to their end
    while stack:
        item = stack.pop()
        stack.extend(_children(item))
        seen: set[str] = set()
        while isinstance(item, Mapping) and isinstance(reference := item.get("$ref"), str):
            if reference in seen:
                return reference
            if reference in ended:
                break
            seen.add(reference)
            item = _referred(schema, reference)
        ended |= seen
    return ""


def _referred(schema: object, reference: str) -> object:
    """Return what a reference within the schema points to; None: it points elsewhere."""
    if not reference.startswith("#"):
        return None
    for part in reference[1:].split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        schema = schema.get(name) if isinstance(schema, Mapping) else None
    return schema


def _short(problem: str) -> str:
    return problem.strip().splitlines()[0][:300]


def _limits() -> "LLParserLimits":
    from llguidance import LLParserLimits

    return LLParserLimits(
        max_items_in_row=1000,
        initial_lexer_fuel=1_000_000,
        step_lexer_fuel=200_000,
        step_max_items=_ITEMS_PER_STEP,
        max_lexer_states=_LEXER_STATES,
        max_grammar_size=200_000,
        verbose_errors=False,  # its details would repeat the client's schema
    )


class Constraint:
    """Grammar of one sequence, and how far it has been followed."""

    def __init__(self, matcher: "LLMatcher", size: int) -> None:
        self._matcher = matcher
        self._size = size

    def permits(self, token: int) -> bool:
        """Say whether this token may come next."""
        return self.permits_all([token])

    def permits_all(self, tokens: Sequence[int]) -> bool:
        """Say whether these tokens may come next, one after the other."""
        return bool(self._matcher.validate_tokens(list(tokens)) == len(tokens))

    def allowed(self) -> NDArray[np.bool_]:
        """Return a mask `(n_vocab,)` of the tokens that may come next.

        Raises:
            GrammarFault: the grammar became too complex.
        """
        bits = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        mask = np.unpackbits(bits, bitorder="little")[: self._size].view(np.bool_)
        self._check()
        return mask

    def took(self, token: int) -> bool:
        """Note that a token was sampled. True: the answer is complete and can't go on.

        Raises:
            GrammarFault: the grammar became too complex.
        """
        self._matcher.consume_token(token)
        self._check()
        return bool(self._matcher.is_stopped())

    def _check(self) -> None:
        if self._matcher.is_error():
            raise GrammarFault(_short(self._matcher.get_error()))


class GrammarCompiler:
    """Compiler of grammars for one vocabulary. The first one costs about 0.3 s; call `compile` in a thread."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._tokenizer: LLTokenizer | None = None
        self._known: LRUCache[str, LLMatcher] = LRUCache(_REMEMBERED)

    def compile(self, grammar: str) -> Constraint:
        """Return a constraint at its beginning.

        Raises:
            GrammarFault: the grammar can't be used.
        """
        from llguidance import LLMatcher

        tokenizer = self._tokenizer = self._tokenizer or _tokenizer(self._vocabulary)
        matcher = self._known.get(grammar)
        if matcher is None:
            matcher = LLMatcher(tokenizer, grammar, log_level=0, limits=_limits())
            if matcher.is_error():
                raise GrammarFault(_short(matcher.get_error()))
            self._known[grammar] = matcher
        return Constraint(matcher.deep_copy(), self._vocabulary.size)


def _tokenizer(vocabulary: Vocabulary) -> "LLTokenizer":
    from llguidance import LLTokenizer

    pieces = []
    for token in range(vocabulary.size):
        piece = vocabulary.piece(token, special=True)
        # llguidance marks tokens that are not text with a leading 0xff.
        pieces.append(b"\xff" + piece if vocabulary.is_control(token) else piece)
    handle, function = vocabulary.tokenize_pointer
    made: LLTokenizer = LLTokenizer.from_llamacpp(  # type: ignore[attr-defined]  # missing in its stub
        tokens=pieces, vocab_ptr=handle, tokenize_fptr=function, eos_token=sorted(vocabulary.ends()), slices=None
    )
    return made


def schema_of(kind: str, schema: object) -> Mapping[str, object] | None:
    """Return the JSON schema for a response format; None: free text.

    Raises:
        BadRequest: the format needs a schema and has none.
    """
    match kind:
        case "json_object":
            return {"type": "object"}
        case "json_schema":
            if not isinstance(schema, Mapping):
                raise BadRequest("'response_format' has no schema.", param="response_format")
            return dict(schema)
        case _:
            return None
