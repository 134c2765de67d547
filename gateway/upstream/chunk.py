"""Decode what OpenAI-compatible servers send: the bytes of a chunk, or of a whole answer → what matters of it. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

_UNREAD = msgspec.Raw()


class Message(msgspec.Struct, forbid_unknown_fields=True):
    """Text of one choice: `delta` in a stream, `message` in a whole answer. Fields are as they came.

    Fields that are not named here stand in `unknown`: they are for the client, and cost a second reading.
    """

    role: Any = None

    content: Any = None  # a text; thinking models of some servers send parts
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: Any = None
    tool_calls: Any = None
    function_call: Any = None  # the older form of a tool call
    reasoning_details: Any = None
    unknown: Any = None

    def extra(self) -> dict[str, Any]:
        """Return the fields that OpenAI does not have, where they say anything."""
        found = dict(self.unknown) if isinstance(self.unknown, dict) else {}
        found["reasoning_details"] = self.reasoning_details
        return {name: value for name, value in found.items() if value not in _NOTHING}


class Choice(msgspec.Struct):
    """One choice of a chunk."""

    index: Any = None
    delta: Message | None = None
    message: Message | None = None  # a server that answers whole although a stream was asked for
    text: Any = None  # text completions
    logprobs: Any = None
    finish_reason: Any = None
    stop_reason: Any = None  # vLLM: the stop text that ended the choice
    matched_stop: Any = None  # SGLang's name for it
    usage: Any = None  # Moonshot and others report it here


class Chunk(msgspec.Struct, forbid_unknown_fields=True):
    """One payload of a stream, or a whole answer.

    Fields that are not named here stand in `unknown`: they are for the client, and cost a second reading.
    """

    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None
    id: Any = None
    object: Any = None
    created: Any = None
    model: Any = None
    obfuscation: Any = None  # OpenAI's padding
    provider: Any = None
    system_fingerprint: Any = None
    service_tier: Any = None
    unknown: Any = None

    def more(self) -> dict[str, Any]:
        """Return what the payload says of the whole answer that this gateway has no words for."""
        found = dict(self.unknown) if isinstance(self.unknown, dict) else {}
        for name in _OF_THE_ANSWER:
            found[name] = getattr(self, name)
        return {name: value for name, value in found.items() if value not in _NOTHING}


class _PlainMessage(msgspec.Struct, forbid_unknown_fields=True):
    content: str
    role: Any = None
    reasoning_content: None = None
    reasoning: None = None
    refusal: None = None
    tool_calls: tuple[()] | None = None
    function_call: None = None
    reasoning_details: tuple[()] | None = None


class _PlainChoice(msgspec.Struct):
    delta: _PlainMessage
    index: Literal[0]
    message: None = None
    text: None = None
    logprobs: None = None
    finish_reason: None = None
    usage: None = None


class _PlainChunk(msgspec.Struct, forbid_unknown_fields=True):
    """Chunk that says one text and nothing else."""

    choices: tuple[_PlainChoice]
    usage: None = None
    error: None = None
    id: msgspec.Raw = _UNREAD
    object: msgspec.Raw = _UNREAD
    created: msgspec.Raw = _UNREAD
    model: msgspec.Raw = _UNREAD
    obfuscation: msgspec.Raw = _UNREAD
    provider: msgspec.Raw = _UNREAD
    system_fingerprint: msgspec.Raw = _UNREAD
    service_tier: msgspec.Raw = _UNREAD


_OF_THE_ANSWER = ("provider", "system_fingerprint", "service_tier")
_NOTHING: tuple[Any, ...] = (None, "", [], {})
_DECODER = msgspec.json.Decoder(Chunk)
_PLAIN_DECODER = msgspec.json.Decoder(_PlainChunk)
_ANY_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_BOM = b"\xef\xbb\xbf"


def decode_chunk(data: bytes) -> Chunk:
    """Return what `data` says; parts that have an unexpected shape count as not there.

    Raises:
        ValueError: The bytes are not a JSON object.
    """
    data = data.removeprefix(_BOM)
    try:
        return _DECODER.decode(data)
    except (ValueError, RecursionError):
        pass
    try:
        # NaN and half of a surrogate pair are no JSON, but some servers write them; that must not cost the answer.
        document = json.loads(data, object_hook=_sound)
    except (RecursionError, UnicodeDecodeError) as error:
        raise ValueError("not JSON") from error
    if document is None:
        return Chunk()  # a keep-alive
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")
    choices = document.get("choices")
    if isinstance(choices, dict):
        choices = [choices]
    known = {name: document.get(name) for name in Chunk.__struct_fields__}
    known["unknown"] = {name: value for name, value in document.items() if name not in known}
    known["choices"] = [_choice(one) for one in choices if isinstance(one, dict)] if isinstance(choices, list) else None
    return Chunk(**known)


def plain_text(data: bytes) -> str | None:
    """Return the text of a chunk that says nothing else, as nearly all do; None for every other.

    What such a chunk says of the answer in fields that are known (`provider`), the last chunk says again.
    """
    try:
        return _PLAIN_DECODER.decode(data).choices[0].delta.content or None
    except (ValueError, RecursionError):
        return None


def plain_texts(payloads: Sequence[bytes]) -> list[str] | None:
    """Return the texts of chunks of which each says nothing else; None: one says something else, or has no text."""
    decode = _PLAIN_DECODER.decode
    try:
        texts = [decode(payload).choices[0].delta.content for payload in payloads]
    except (ValueError, RecursionError):
        return None
    return texts if all(texts) else None


def is_json_object(data: bytes) -> bool:
    """Say whether `data` is one whole JSON object."""
    data = data.removeprefix(_BOM).strip()
    if not (data.startswith(b"{") and data.endswith(b"}")):
        return False
    try:
        _ANY_OBJECT.decode(data)
    except (ValueError, RecursionError):
        return False
    return True


def _choice(given: dict[str, Any]) -> Choice:
    known = {name: given.get(name) for name in Choice.__struct_fields__ if name not in ("delta", "message")}
    return Choice(delta=_message(given.get("delta")), message=_message(given.get("message")), **known)


def _message(given: object) -> Message | None:
    if isinstance(given, str):
        return Message(content=given)
    if not isinstance(given, Mapping):
        return None
    known = {name: given.get(name) for name in Message.__struct_fields__}
    known["unknown"] = {name: value for name, value in given.items() if name not in known}
    return Message(**known)


def _sound(given: dict[str, Any]) -> dict[str, Any]:
    """Replace halves of surrogate pairs, which no encoder takes."""
    return {name: _sound_value(value) for name, value in given.items()}


def _sound_value(value: Any) -> Any:
    match value:
        case str() if not value.isascii():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [_sound_value(one) for one in value]
        case _:
            return value
