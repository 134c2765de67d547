"""Description of how a model writes its answers: thoughts, tool calls, and what is no text at all."""

import enum
from collections.abc import Iterator, Mapping
from functools import lru_cache

import msgspec

from gateway.core.document import Json

# Stand in a literal for what differs from call to call: an id, a number. Noncharacters: no template has them.
ID, NUMBER = "\ufdd0", "\ufdd1"


class Markers(msgspec.Struct, frozen=True, kw_only=True):
    """Texts before and after something."""

    open: str = ""
    close: str = ""


class Style(enum.StrEnum):
    """How a call says its name and its arguments."""

    OBJECT = "object"  # {"name": "f", "arguments": {…}}
    NAMED_JSON = "named JSON"  # f<marker>{…}
    TAGS = "tags"  # f<parameter=a>1</parameter>
    PYTHON = "Python"  # [f(a=1)]
    GEMMA = "Gemma"  # f{a:1,b:<|"|>text<|"|>}


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of a call that is a JSON object. `name` empty: the tool's name is the only key."""

    name: str = "name"
    arguments: str = "arguments"
    outer: str = ""  # the key of the object that holds both, such as "function"
    id: str = ""  # a key before the name that holds an id
    array: bool = False  # the calls stand in a list


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    """How tool calls are written: the section, in it each call, in it the name and each argument.

    `head` and `key` are patterns for models that write more variants than one: of everything up to the arguments,
    with `{name}` for the name, and of everything from the end of one value to the next one.
    """

    style: Style
    section: Markers = Markers()
    call: Markers = Markers()
    between: str = ""  # calls
    name_end: str = ""  # between name and arguments
    keys: Keys = Keys()
    parameter: Markers = Markers()  # before its key, after its value; {key} in `close` is its key
    key_end: str = ""  # between key and value
    head: str = ""
    key: str = ""


class AnswerFormat(msgspec.Struct, frozen=True, kw_only=True):
    """How a model marks the parts of an answer.

    `thought_begin`, `thought_end`, `content_begin` and `no_text` are patterns for models that write more variants
    than the literals say.
    """

    thought: Markers = Markers(open="<think>", close="</think>")
    content: Markers = Markers()
    calls: Calls | None = None
    thought_begin: str = ""
    thought_end: str = ""
    content_begin: str = ""
    no_text: str = ""
    thinks: bool = False  # the template has a place for thoughts
    thinks_anywhere: bool = False  # thoughts may also follow text
    opened_in_words: bool = False  # the prompt opens the thought without a marker


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """Tool that an answer may call; `parameters` is the JSON schema of its arguments."""

    name: str
    parameters: Mapping[str, Json]


# {"name": …} between <tool_call> and </tool_call>: Hermes, Qwen and many others; also what models are told in words.
HERMES = Calls(
    style=Style.OBJECT,
    call=Markers(open="<tool_call>\n", close="\n</tool_call>"),
    between="\n",
)


@lru_cache(4096)
def is_marker(form: AnswerFormat, token: str) -> bool:
    """Say whether a control token means something in this format; all others are no text."""
    return bool(token) and any(token in text for text in _texts(form))


def _texts(form: object) -> Iterator[str]:
    """Yield every literal of a format, and its patterns without what escapes their letters."""
    match form:
        case str():
            yield form.replace("\\", "")
        case msgspec.Struct():
            yield "<|python_tag|>"
            for name in form.__struct_fields__:
                yield from _texts(getattr(form, name))
