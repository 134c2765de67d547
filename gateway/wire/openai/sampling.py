"""Parse OpenAI's sampling fields into `Sampling`, every number within bounds. Pure."""

from types import MappingProxyType

from gateway.core.document import Json, JsonObject
from gateway.core.request import ResponseFormat, Sampling
from gateway.wire.body_fields import Fields, bad_field
from gateway.wire.json_body import parse_object

MOST_CHOICES = 128
_MOST_TOKENS = 2**31 - 1
_MOST_STOPS = 256  # OpenAI's own cloud takes four; editors send dozens, and servers at home have no limit
_LONGEST_STOP = 1024
_MOST_BIASES = 1024
_LONGEST_WORD = 64
_LONGEST_GRAMMAR = 64 * 1024
_AS_IT_IS = Sampling()
# Every field that is read here of a chat.
CHAT_FIELDS = frozenset(
    {
        *("max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "min_p", "seed", "stop", "n"),
        *("frequency_penalty", "presence_penalty", "repeat_penalty", "repetition_penalty", "logit_bias"),
        *("logprobs", "top_logprobs", "ignore_eos"),
    }
)
AS_TEXT = ResponseFormat()
# OpenAI's field for the form of an answer, then llama-server's two and vLLM's.
_FORMS = ("response_format", "grammar", "json_schema", "guided_json")
_NO_FORM: tuple[Json, ...] = (None, "", MappingProxyType({}), MappingProxyType({"type": "text"}))


def chat_sampling(body: Fields) -> Sampling:
    """Return the sampling of a `/chat/completions` body.

    Raises:
        BadRequest: a field has the wrong type or is out of range, or two fields contradict each other.
    """
    if CHAT_FIELDS.isdisjoint(body.document):
        return _AS_IT_IS
    logprobs = body.boolean("logprobs")
    top = body.integer("top_logprobs", 0, 20)
    if top and not logprobs:
        raise bad_field(body.param("top_logprobs"), "needs 'logprobs': true.")
    newer = _token_limit(body, "max_completion_tokens")
    older = _token_limit(body, "max_tokens")
    if newer is not None and older is not None and newer != older:
        raise bad_field("max_tokens", "differs from 'max_completion_tokens'. Send one of them.")
    return _sampling(body, max_tokens=newer if newer is not None else older, logprobs=logprobs, top_logprobs=top or 0)


def completion_sampling(body: Fields) -> Sampling:
    """Return the sampling of a `/completions` body, where `logprobs` is a count.

    Raises:
        BadRequest: a field has the wrong type or is out of range, or `best_of` differs from `n`.
    """
    top = body.integer("logprobs", 0, 20)
    limit = body.integer("max_tokens", -1, _MOST_TOKENS)
    best_of = body.integer("best_of", 0, MOST_CHOICES)
    if best_of and best_of != (body.integer("n", 1, MOST_CHOICES) or 1):
        raise bad_field(body.param("best_of"), "is served only where it equals 'n'.")
    return _sampling(body, max_tokens=None if limit == -1 else limit, logprobs=top is not None, top_logprobs=top or 0)


def response_format(body: Fields) -> ResponseFormat:
    """Return the form that a body demands of its answer: as `response_format`, or in another server's own field.

    Raises:
        BadRequest: the form is not as it must be, or two fields demand one.
    """
    if body.document.keys().isdisjoint(_FORMS):
        return AS_TEXT
    asked = [name for name in _FORMS if body.document.get(name) not in _NO_FORM]
    if len(asked) > 1:
        raise bad_field(asked[1], f"can't stand beside {asked[0]!r}: an answer has one form.")
    match asked:
        case ["grammar"]:
            return ResponseFormat(kind="grammar", grammar=body.string("grammar", longest=_LONGEST_GRAMMAR) or "")
        case ["json_schema" | "guided_json" as name]:
            return ResponseFormat(kind="json_schema", schema=_schema(body, name), strict=True)
        case _:
            return _response_format(body)


def _schema(body: Fields, name: str) -> JsonObject:
    """Return a schema that stands in a field of its own, as an object or (in some clients of vLLM) as its text.

    Raises:
        BadRequest: it is no JSON object.
    """
    given = body.document[name]
    if isinstance(given, str):
        return parse_object(given.encode("utf-8", "surrogatepass"))
    return body.inside(given, body.param(name)).document


def _response_format(body: Fields) -> ResponseFormat:
    given = body.mapping("response_format")
    if given is None:
        return ResponseFormat()
    kind = given.choice("type", ("text", "json_object", "json_schema"))
    if kind is None:
        raise bad_field(given.param("type"), "is missing.")
    if kind == "json_schema":
        inner = given.mapping("json_schema")
        if inner is None:
            raise bad_field(given.param("json_schema"), "is missing.")
        schema = inner.mapping("schema")
        return ResponseFormat(kind=kind, schema=schema.document if schema else None, strict=inner.boolean("strict"))
    if kind == "json_object" and (schema := given.mapping("schema")) is not None:
        # llama-server's older spelling of json_schema.
        return ResponseFormat(kind="json_schema", schema=schema.document, strict=True)
    return ResponseFormat(kind=kind)


def _sampling(body: Fields, *, max_tokens: int | None, logprobs: bool, top_logprobs: int) -> Sampling:
    top_k = body.integer("top_k", -1, _MOST_TOKENS)
    repeat = body.number("repeat_penalty", 0.01, 10.0)
    if repeat is None:
        repeat = body.number("repetition_penalty", 0.01, 10.0)
    tokens, words = _biases(body)
    return Sampling(
        max_tokens=max_tokens,
        temperature=body.number("temperature", 0.0, 2.0),
        top_p=body.number("top_p", 0.0, 1.0),
        top_k=None if top_k is None else max(0, top_k),  # -1 and 0 turn it off, as in vLLM and llama-server
        min_p=body.number("min_p", 0.0, 1.0),
        seed=body.integer("seed", -(2**63), 2**63 - 1),
        stop=_stop(body),
        frequency_penalty=body.number("frequency_penalty", -2.0, 2.0) or 0.0,
        presence_penalty=body.number("presence_penalty", -2.0, 2.0) or 0.0,
        repeat_penalty=1.0 if repeat is None else repeat,
        logit_bias=tokens,
        word_bias=words,
        logprobs=logprobs,
        top_logprobs=top_logprobs,
        n=body.integer("n", 1, MOST_CHOICES) or 1,
        ignore_eos=body.boolean("ignore_eos"),
    )


def _token_limit(body: Fields, name: str) -> int | None:
    limit = body.integer(name, -1, _MOST_TOKENS)
    return None if limit == -1 else limit  # llama-server's and LM Studio's word for "no limit"


def _stop(body: Fields) -> tuple[str, ...]:
    value = body.document.get("stop")
    param = body.param("stop")
    if value is None:
        return ()
    stops = value if isinstance(value, tuple) else (value,)
    if len(stops) > _MOST_STOPS:
        raise bad_field(param, f"must have at most {_MOST_STOPS} items.")
    texts: list[str] = []
    for stop in stops:
        if not isinstance(stop, str):
            raise bad_field(param, "must be a string or an array of strings.")
        if len(stop) > _LONGEST_STOP:
            raise bad_field(param, f"a stop text must have at most {_LONGEST_STOP} characters.")
        if stop:  # an empty text stops nowhere
            texts.append(stop)
    return tuple(texts)


def _biases(body: Fields) -> tuple[tuple[tuple[int, float], ...], tuple[tuple[str, float], ...]]:
    """Return the biases of token numbers, and those of texts, which llama-server takes too.

    Raises:
        BadRequest: `logit_bias` is not as it must be.
    """
    given = body.mapping("logit_bias")
    if given is None:
        return (), ()
    if len(given.document) > _MOST_BIASES:
        raise bad_field(body.param("logit_bias"), f"must have at most {_MOST_BIASES} entries.")
    tokens: list[tuple[int, float]] = []
    words: list[tuple[str, float]] = []
    for name in given.document:
        bias = given.number(name, -100.0, 100.0) or 0.0
        if name.isascii() and name.isdigit() and len(name) <= 10:
            tokens.append((int(name), bias))
        elif 0 < len(name) <= _LONGEST_WORD:
            words.append((name, bias))
        else:
            raise bad_field(
                body.param("logit_bias"), f"its keys must be token numbers or words of {_LONGEST_WORD} letters."
            )
    return tuple(tokens), tuple(words)
