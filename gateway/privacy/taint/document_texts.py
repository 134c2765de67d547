"""One walk over every text of a document, the same for remembering and for looking up. Pure.

Every string, key and long number but the API's own words, with whose words it is; and, since a text may be told or
quoted in pieces, the seams of neighbouring strings: those of one field (all of a role's contents, all prompts, all
descriptions) and all in order.
"""

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from gateway.core.document import KEY, JsonObject, Place, leaves, long_numbers, path_of
from gateway.core.request import (
    AnyRequest,
    ChatRequest,
    CompletionRequest,
    DecisionsRequest,
    EmbeddingsRequest,
    MediaRequest,
    ModerationRequest,
)
from gateway.privacy.taint.fingerprints import SURE, letters

MOST_TEXTS = 100_000  # that are looked up; a request with more counts as sensitive
_EDGE = SURE - 1
_SEAM = 4_096  # letters and digits in one seam; a longer one goes on in the next
_DIGITS = "0123456789[]"
_NO_FIELDS: JsonObject = MappingProxyType({})
_PLAIN = frozenset({"role", "content"})  # all fields of most messages
_OF_THE_API = frozenset(
    {
        "model",
        "stream",
        "stream_options",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "tools",
        "user",
    }
)  # names of fields that most requests have: they tell nothing
_NAMES = frozenset({"role", "type", "id", "tool_call_id", "index", "model"})  # fields that break no text in two


class Whose(enum.StrEnum):
    """Whose words a text is."""

    OWN = "own"  # the client's: its turns, prompts, texts to embed or to rank
    ANSWER = "answer"
    RESULT = "result"  # of a tool
    SHARED = "shared"  # system prompts, tools, schemas, settings: many conversations have them in common


_ROLES = {
    "user": Whose.OWN,
    "assistant": Whose.ANSWER,
    "tool": Whose.RESULT,
    "function": Whose.RESULT,
    "system": Whose.SHARED,
    "developer": Whose.SHARED,
}


class DocumentText(msgspec.Struct, frozen=True):
    """A text, where it stands, whose it is, and how many of the client's own turns had begun before it ended."""

    place: "Place | str"  # a path, where it stands in no document
    text: str
    whose: Whose
    turn: int = 0
    message: bool = False  # it stands in the conversation, or is what the request is about

    @property
    def path(self) -> str:
        """Return the path of its place."""
        return self.place if isinstance(self.place, str) else path_of(self.place)

    @property
    def field(self) -> str:
        """Return the name of the field that it stands in; `~key` for the name of a field."""
        place = self.place
        while isinstance(place, tuple):
            place, step = place
            if step == KEY:
                return "~key"
            if isinstance(step, str):
                if step.isidentifier():
                    return step.rstrip(_DIGITS)
                break  # a name that is written otherwise in paths
        path = self.path
        return "~key" if path.endswith("~key") else path.rstrip(_DIGITS).rpartition(".")[2]


def since(text: DocumentText, turns: int) -> int:
    """Return the own turn, from 1, from which a conversation of so many own turns is sensitive if this text is.

    The client's own words make their turn sensitive. What others say (a document in a system prompt, a result) makes
    sensitive what comes behind it: the same question about another document says nothing yet.
    """
    if text.whose is Whose.OWN:
        return max(text.turn, 1)
    return (text.turn or turns) + 1


class TooManyTexts(Exception):
    """Error of a document with more texts than are looked at."""


def texts_of(request: AnyRequest, most: int | None = None) -> tuple[DocumentText, ...]:
    """Return every text of the request's document, messages last.

    Raises:
        TooManyTexts: There are more than `most`.
    """
    found = tuple(islice(_texts(request), None if most is None else most + 1))
    if most is not None and len(found) > most:
        raise TooManyTexts
    return found


def attached_texts(request: AnyRequest, message: int, pieces: Iterable[tuple[str, str]]) -> tuple[DocumentText, ...]:
    """Return texts that were read of an attachment, given as (path, text), as if they stood in its message."""
    if not isinstance(request, ChatRequest) or not 0 <= message < len(request.messages):
        return tuple([DocumentText(path, text, Whose.OWN, 0, True) for path, text in pieces])
    whose = _ROLES.get(request.messages[message].role, Whose.SHARED)
    turn = sum(_ROLES.get(one.role) is Whose.OWN for one in request.messages[: message + 1])
    return tuple([DocumentText(path, text, whose, turn, True) for path, text in pieces])


Ends: TypeAlias = tuple[str, str | None]
"""The first letters and digits of a text and the last ones; None: the first are all that it has."""


def seams(
    texts: Iterable[DocumentText], *, ordered: bool, ends: Callable[[str], Ends] | None = None
) -> Iterator[tuple[str, DocumentText]]:
    """Yield the letters and digits around the borders of neighbouring texts, and the text that each ends in.

    Whatever `SURE` letters and digits of a joined text cross a border lie in one of these whole. `ordered`: also across
    fields, in the order of the document. `ends` does what `ends_of` does, perhaps from memory.
    """
    streams: dict[tuple[Whose, str], list[DocumentText]] = {}
    everything: list[DocumentText] = []
    for text in texts:
        field = text.field
        streams.setdefault((text.whose, field), []).append(text)
        if ordered and field != "~key" and field not in _NAMES:
            everything.append(text)
    rows = [*streams.values(), everything] if len(streams) > 1 else streams.values()
    for row in rows:
        if len(row) > 1:
            yield from _joined(row, ends or ends_of)


def ends_of(text: str) -> Ends:
    """Return the ends of a text.

    INVARIANT: what has an end of its own has at least `_EDGE` letters and digits, so no `SURE` of them reach over it.
    """
    head = _enough(text, lambda size: text[:size])[:_EDGE]
    if len(head) < _EDGE:
        return head, None
    return head, _enough(text, lambda size: text[-size:])[-_EDGE:]


def _joined(stream: list[DocumentText], ends: Callable[[str], Ends]) -> Iterator[tuple[str, DocumentText]]:
    """Yield the seams of one stream. Where they are cut depends on what stands before alone, so they stay the same."""
    parts: list[str] = []
    size = 0
    for text in stream:
        head, tail = ends(text.text)
        parts.append(head)
        size += len(head)
        if tail is not None or size > _SEAM:
            joined = "".join(parts)
            if len(parts) > 1:
                yield joined, text
            parts = [tail if tail is not None else joined[-_EDGE:]]
            size = len(parts[0])
    if len(parts) > 1:
        yield "".join(parts), stream[-1]


def _enough(text: str, cut: Callable[[int], str]) -> str:
    """Return the letters and digits of as much of a text as holds `_EDGE` of them, or of all of it."""
    plain = ""
    for size in (2 * _EDGE, 20 * _EDGE, len(text)):
        plain = letters(cut(size))
        if len(plain) >= _EDGE or size >= len(text):
            break
    return plain


def _texts(request: AnyRequest) -> Iterator[DocumentText]:
    document = request.document
    if isinstance(request, ModerationRequest):  # its instructions and schema are the gateway's, and the same for all
        yield from (text for text in _chat(document) if text.whose is Whose.OWN or text.path == "$.model")
        return
    if isinstance(request, ChatRequest):
        yield from _chat(document)
        return
    match request:
        case CompletionRequest():
            own = {"prompt", "suffix"}
        case EmbeddingsRequest():
            own = {"input"}
        case DecisionsRequest():
            own = {"state", "input"}
        case MediaRequest():
            own = {"prompt", "input"}
        case _:
            own = {"query", "documents"}
    for place, text in _placed(document):
        top = place
        while top is not None and top[0] is not None:
            top = top[0]
        mine = top is not None and top[1] in own
        yield DocumentText(place, text, Whose.OWN if mine else Whose.SHARED, 0, mine)


def _chat(document: JsonObject) -> Iterator[DocumentText]:
    messages = document.get("messages")
    for name, value in document.items():
        if name != "messages":
            yield from _beside(name, value)
    turn = 0
    root: Place = (None, "messages")
    for number, message in enumerate(messages if isinstance(messages, tuple) else ()):
        fields = message if isinstance(message, MappingProxyType | Mapping) else _NO_FIELDS
        role = fields.get("role")
        whose = _ROLES.get(role, Whose.SHARED) if isinstance(role, str) else Whose.SHARED
        turn += whose is Whose.OWN
        here: Place = (root, number)
        if isinstance(role, str) and role in _ROLES and fields.keys() == _PLAIN:
            content = fields["content"]
            if isinstance(content, str):  # role and content are words of the API
                yield DocumentText((here, "content"), content, whose, turn, True)
                continue
        for place, text in _placed(message, here):
            yield DocumentText(place, text, whose, turn, True)


def _beside(name: str, value: object) -> Iterator[DocumentText]:
    """Yield the texts of a field that stands beside the messages, its own name first."""
    top: Place = (None, name)
    if name not in _OF_THE_API:
        yield DocumentText((top, KEY), name, Whose.SHARED)
    if isinstance(value, str):
        yield DocumentText(top, value, Whose.SHARED)
    if isinstance(value, str | bool) or value is None:
        return
    for place, text in _placed(value, top):
        if text not in _OF_THE_API or place is None or place[1] != KEY:
            yield DocumentText(place, text, Whose.SHARED)


def _placed(value: object, place: Place = None) -> Iterator[tuple[Place, str]]:
    """Yield every string, key and long number with its place, as `core.document.strings` does with paths."""
    for here, leaf, _ in leaves(value, place):
        if isinstance(leaf, str):
            yield here, leaf
        elif isinstance(leaf, tuple):
            for index, number in long_numbers(leaf):
                yield (here, index), number
        else:
            for _, number in long_numbers((leaf,)):
                yield here, number
