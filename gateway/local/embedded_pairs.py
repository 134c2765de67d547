"""Query and text as one prompt, the way a ranking model was trained on them. Pure.

As llama-server does it: by the file's own template, else `[start] query [end] [separator] text [end]`, with the tokens
that the vocabulary asks for.
"""

import re

from gateway.core.request import RerankRequest
from gateway.engine.llama.vocabulary import Vocabulary

_PLACES = re.compile(r"\{(query|document)\}")


def pairs(vocabulary: Vocabulary, template: str, request: RerankRequest) -> tuple[tuple[int, ...], ...]:
    """One prompt for each text."""
    if template:
        return tuple(
            tuple(vocabulary.tokenize(_filled(template, request.query, text), add_special=False, parse_special=True))
            for text in request.texts
        )
    end = (vocabulary.eos if vocabulary.eos >= 0 else vocabulary.sep,) if vocabulary.adds_eos else ()
    start = (vocabulary.bos,) if vocabulary.adds_bos else ()
    query = vocabulary.tokenize(request.query, add_special=False, parse_special=False)
    between = (*end, *((vocabulary.sep,) if vocabulary.adds_sep else ()))
    return tuple(
        (*start, *query, *between, *vocabulary.tokenize(text, add_special=False, parse_special=False), *end)
        for text in request.texts
    )


def _filled(template: str, query: str, text: str) -> str:
    # In one pass: a query that says {document} is a query, not a place.
    return _PLACES.sub(lambda place: query if place[1] == "query" else text, template)
