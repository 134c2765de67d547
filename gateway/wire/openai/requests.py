"""Parse OpenAI request bodies into typed requests. Pure.

Unknown fields are accepted: they stay in the document, are inspected with it and go on to targets that know them.
Known fields that no target here can honour are refused; nothing is dropped in silence.
"""

from collections.abc import Mapping

import msgspec

from gateway.core.document import Json, JsonObject
from gateway.core.marks import unmarked_part
from gateway.core.request import ChatRequest, CompletionRequest, Dialect, EmbeddingsRequest, Snippet
from gateway.wire.body_fields import Fields, bad_field
from gateway.wire.forbidden_fields import OVERRIDES, refuse_overrides
from gateway.wire.openai.messages import parse_messages
from gateway.wire.openai.older_functions import is_older, modern
from gateway.wire.openai.sampling import (
    AS_TEXT,
    CHAT_FIELDS,
    MOST_CHOICES,
    chat_sampling,
    completion_sampling,
    response_format,
)
from gateway.wire.openai.thinking import AS_EVER, thinking_of

_LONGEST_MODEL = 256
_MOST_TOOLS = 1024
_MOST_PROMPTS = 128
_MOST_INPUTS = 2048
_MOST_SNIPPETS = 1024
_MOST_TOKEN_IDS = 4_194_304
_LARGEST_TOKEN_ID = 2**31 - 1
_NOT_SERVED = {
    "audio": "spoken answers are not served.",
    "web_search_options": "search by the provider is not served.",
}
_ORDINARY = (CHAT_FIELDS | {"model", "messages", "stream", "stream_options", "user"}) - OVERRIDES
_NOT_TEXT = frozenset({*_NOT_SERVED, "modalities"})


def parse_chat(document: JsonObject) -> ChatRequest:
    """Parse the document of `POST /v1/chat/completions`.

    Raises:
        BadRequest: a field is missing, has the wrong type or is not served here.
    """
    ordinary = _ORDINARY.issuperset(document)  # nothing but texts and how to draw tokens, as most are
    if not ordinary:
        refuse_overrides(document)
    older = is_older(document)
    if older or "functions" in document:
        document = modern(document)
    body = Fields(document)
    if not _NOT_TEXT.isdisjoint(document):
        _refuse_all_but_text(body)
    messages, media = parse_messages(body)
    tools = _tools(body) if "tools" in document else ()
    form, sampling = AS_TEXT if ordinary else response_format(body), chat_sampling(body)
    if form.kind == "grammar" and tools:
        raise bad_field("grammar", "can't stand beside 'tools'.")
    stream, include_usage = _streaming(body)
    request = ChatRequest(
        dialect=Dialect.OPENAI,
        model=_model(body),
        document=document,
        stream=stream,
        include_usage=include_usage,
        media=media,
        messages=messages,
        tools=tools,
        tool_choice=_tool_choice(body, tools) if "tool_choice" in document else None,
        sampling=sampling,
        response_format=form,
        thinking=AS_EVER if ordinary else thinking_of(document),
        older_functions=older,
    )
    return msgspec.structs.replace(request, built_in_tools=request.provider_tools) if tools else request


def parse_completion(document: JsonObject) -> CompletionRequest:
    """Parse the document of `POST /v1/completions`.

    Raises:
        BadRequest: a field is missing, has the wrong type or is not served here.
    """
    body = _opened(document)
    prompts = _texts(body, "prompt", _MOST_PROMPTS)
    sampling = completion_sampling(body)
    if len(prompts) * sampling.n > MOST_CHOICES:
        raise bad_field("n", f"prompts times 'n' must be at most {MOST_CHOICES}.")
    suffix, snippets = body.string("suffix"), _snippets(body)
    stream, include_usage = _streaming(body)
    return CompletionRequest(
        dialect=Dialect.OPENAI,
        model=_model(body),
        document=document,
        stream=stream,
        include_usage=include_usage,
        prompts=prompts,
        echo=body.boolean("echo"),
        suffix=suffix,
        snippets=snippets,
        insert=bool(suffix or snippets),
        sampling=sampling,
        response_format=response_format(body),
    )


def parse_embeddings(document: JsonObject) -> EmbeddingsRequest:
    """Parse the document of `POST /v1/embeddings`.

    Raises:
        BadRequest: a field is missing, has the wrong type or is not served here.
    """
    body = _opened(document)
    inputs = _texts(body, "input", _MOST_INPUTS)
    if not all(inputs):
        raise bad_field("input", "has an empty text.")
    return EmbeddingsRequest(
        dialect=Dialect.OPENAI,
        model=_model(body),
        document=document,
        inputs=inputs,
        dimensions=body.integer("dimensions", 1, 65_536),
        base64=body.choice("encoding_format", ("float", "base64")) == "base64",
    )


def _snippets(body: Fields) -> tuple[Snippet, ...]:
    """Return the pieces of other files, in llama-server's field `input_extra`."""
    return tuple(
        Snippet(name=given.string("filename", longest=1024) or "tmp", text=_snippet_text(given))
        for given in body.objects("input_extra", _MOST_SNIPPETS)
    )


def _snippet_text(given: Fields) -> str:
    text = given.string("text")
    if text is None:
        raise bad_field(given.param("text"), "is missing.")
    return text


def _opened(document: JsonObject) -> Fields:
    refuse_overrides(document)
    return Fields(document)


def _model(body: Fields) -> str:
    model = body.document.get("model")
    if type(model) is not str or not 0 < len(model) <= _LONGEST_MODEL:
        model = body.required_string("model", longest=_LONGEST_MODEL)  # which says what is wrong with it
    if not model.isprintable():
        raise bad_field("model", "has control characters.")
    return model


def _refuse_all_but_text(body: Fields) -> None:
    for name, problem in _NOT_SERVED.items():
        if body.document.get(name):
            raise bad_field(name, problem)
    if any(item != "text" for item in body.items("modalities", 8)):
        raise bad_field("modalities", "only text answers are served.")


def _streaming(body: Fields) -> tuple[bool, bool]:
    stream = body.boolean("stream")
    options = body.mapping("stream_options") if "stream_options" in body.document else None
    usage = options.boolean("include_usage") if options is not None else False
    return stream, stream and usage  # a whole answer has its usage anyway


def _tools(body: Fields) -> tuple[JsonObject, ...]:
    tools: list[JsonObject] = []
    for tool in body.objects("tools", _MOST_TOOLS):
        kind = tool.required_string("type", longest=64)
        inner = tool.mapping(kind)
        if kind in ("function", "custom"):
            if inner is None:
                raise bad_field(tool.param(kind), "is missing.")
            inner.required_string("name", longest=256)
            inner.string("description")
            if kind == "function":
                inner.mapping("parameters")
                inner.boolean("strict")
        shown = unmarked_part(tool.document)  # templates show a tool with all its fields
        tools.append(shown if isinstance(shown, Mapping) else tool.document)
    return tuple(tools)


def _tool_choice(body: Fields, tools: tuple[JsonObject, ...]) -> Json:
    choice = body.document.get("tool_choice")
    if choice is None:
        return None
    if isinstance(choice, str):
        if choice not in ("auto", "none", "required"):
            raise bad_field("tool_choice", "must be auto, none, required or an object.")
        if choice == "required" and not tools:
            raise bad_field("tool_choice", "needs 'tools'.")
        return choice
    given = Fields.inside(choice, "tool_choice")
    kind = given.choice("type", ("function", "custom", "allowed_tools"))
    if kind is None:
        raise bad_field("tool_choice.type", "is missing.")
    inner = given.mapping(kind)
    if inner is None:
        raise bad_field(given.param(kind), "is missing.")
    known = {_tool_name(tool) for tool in tools}
    if kind == "allowed_tools":
        if inner.choice("mode", ("auto", "required")) is None:
            raise bad_field(inner.param("mode"), "is missing.")
        for tool in inner.objects("tools", _MOST_TOOLS):
            if _tool_name(tool.document) not in known:
                raise bad_field(tool.param("function.name"), "names a tool that 'tools' does not have.")
    elif inner.required_string("name", longest=256) not in known:
        raise bad_field(inner.param("name"), "names a tool that 'tools' does not have.")
    return choice


def _tool_name(tool: JsonObject) -> Json:
    inner = tool.get(str(tool.get("type")))
    return inner.get("name") if isinstance(inner, Mapping) else None


def _texts(body: Fields, name: str, most: int) -> tuple[str | tuple[int, ...], ...]:
    """Return the texts of a field: a text, an array of texts, an array of token ids, or an array of such arrays.

    Raises:
        BadRequest: the field is none of these, or has too many items.
    """
    value = body.document.get(name)
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, tuple) or not value:
        raise bad_field(name, "must be a text, an array of texts, or an array of token numbers.")
    if type(value[0]) is int:
        return (_token_ids(value, name),)
    if len(value) > most:
        raise bad_field(name, f"must have at most {most} items.")
    texts: list[str | tuple[int, ...]] = []
    for number, item in enumerate(value):
        if isinstance(item, str):
            texts.append(item)
        elif isinstance(item, tuple):
            texts.append(_token_ids(item, f"{name}[{number}]"))
        else:
            raise bad_field(f"{name}[{number}]", "must be a text or an array of token numbers.")
    return tuple(texts)


def _token_ids(value: tuple[Json, ...], param: str) -> tuple[int, ...]:
    if len(value) > _MOST_TOKEN_IDS:
        raise bad_field(param, f"must have at most {_MOST_TOKEN_IDS} items.")
    ids: list[int] = []
    for item in value:
        if type(item) is not int or not 0 <= item <= _LARGEST_TOKEN_ID:
            raise bad_field(param, "must have token numbers only.")
        ids.append(item)
    return tuple(ids)
