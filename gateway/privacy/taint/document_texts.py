"""One walk over every text of a document, the same for remembering and for looking up. Pure.

Every string, key and long number, with whose words it is; and, since a text may be told or quoted in pieces, the seams
of neighbouring strings: those of one field (all of a role's contents, all prompts, all descriptions) and all in order.
"""

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from gateway.core.document import JsonObject, strings
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
_NAMES = frozenset({"role", "type", "id", "tool_call_id", "index", "model"})  # fields that break no text in two


class Whose(enum.Enum):
    """Whose words a text is."""

    OWN = "own"  # the client's: its turns, prompts, texts to embed or to rank
    ANSWER = "answer"
    RESULT = "result"  # of a tool
    SHARED = "shared"  # system prompts, tools, schemas, settings: many conversations have them in common


_ROLES = {"user": Whose.OWN, "assistant": Whose.ANSWER, "tool": Whose.RESULT, "function": Whose.RESULT}


class DocumentText(msgspec.Struct, frozen=True):
    """A text, its path, whose it is, and how many of the client's own turns had begun before it ended."""

    path: str
    text: str
    whose: Whose
    turn: int = 0
    message: bool = False  # it stands in the conversation, or is what the request is about

    @property
    def field(self) -> str:
        """Return the name of the field that it stands in; `~key` for the name of a field."""
        if self.path.endswith("~key"):
            return "~key"
        return self.path.rstrip("0123456789[]").rpartition(".")[2]


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
    found: list[DocumentText] = []
    for text in _texts(request):
        found.append(text)
        if most is not None and len(found) > most:
            raise TooManyTexts
    return tuple(found)


def attached_texts(request: AnyRequest, message: int, pieces: Iterable[tuple[str, str]]) -> tuple[DocumentText, ...]:
    """Return texts that were read of an attachment, given as (path, text), as if they stood in its message."""
    if not isinstance(request, ChatRequest) or not 0 <= message < len(request.messages):
        return tuple([DocumentText(path, text, Whose.OWN, 0, True) for path, text in pieces])
    whose = _ROLES.get(request.messages[message].role, Whose.SHARED)
    turn = sum(_ROLES.get(one.role) is Whose.OWN for one in request.messages[: message + 1])
    return tuple([DocumentText(path, text, whose, turn, True) for path, text in pieces])


def seams(texts: Iterable[DocumentText], *, ordered: bool) -> Iterator[tuple[str, DocumentText]]:
    """Yield the letters and digits around the borders of neighbouring texts, and the text that each ends in.

    Whatever `SURE` letters and digits of a joined text cross a border lie in one of these whole. `ordered`: also across
    fields, in the order of the document.
    """
    streams: dict[tuple[Whose, str], list[_Edges]] = {}
    everything: list[_Edges] = []
    for text in texts:
        field = text.field
        edges = _edges(text)
        streams.setdefault((text.whose, field), []).append(edges)
        if ordered and field != "~key" and field not in _NAMES:
            everything.append(edges)
    for stream in streams.values():
        yield from _joined(stream)
    if len(streams) > 1 and ordered:
        yield from _joined(everything)


class _Edges(msgspec.Struct, frozen=True):
    """The first letters and digits of a text and the last ones; None: the first are all that it has."""

    text: DocumentText
    head: str
    tail: str | None


def _joined(stream: list[_Edges]) -> Iterator[tuple[str, DocumentText]]:
    """Yield the seams of one stream. Where they are cut depends on what stands before alone, so they stay the same."""
    if len(stream) < 2:
        return
    parts: list[str] = []
    size = 0
    for edges in stream:
        parts.append(edges.head)
        size += len(edges.head)
        if edges.tail is not None or size > _SEAM:
            joined = "".join(parts)
            if len(parts) > 1:
                yield joined, edges.text
            parts = [edges.tail if edges.tail is not None else joined[-_EDGE:]]
            size = len(parts[0])
    if len(parts) > 1:
        yield "".join(parts), stream[-1].text


def _edges(text: DocumentText) -> _Edges:
    """Return the ends of a text.

    INVARIANT: what has an end of its own has at least `_EDGE` letters and digits, so no `SURE` of them reach over it.
    """
    head = _enough(text.text, lambda size: text.text[:size])[:_EDGE]
    if len(head) < _EDGE:
        return _Edges(text, head, None)
    return _Edges(text, head, _enough(text.text, lambda size: text.text[-size:])[-_EDGE:])


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
    for path, text in strings(document):
        field = path[2:].split(".", 1)[0].split("[", 1)[0]
        mine = field in own
        yield DocumentText(path, text, Whose.OWN if mine else Whose.SHARED, 0, mine)


def _chat(document: JsonObject) -> Iterator[DocumentText]:
    messages = document.get("messages")
    rest = {name: value for name, value in document.items() if name != "messages"}
    for path, text in strings(rest):
        yield DocumentText(path, text, Whose.SHARED)
    turn = 0
    for number, message in enumerate(messages if isinstance(messages, tuple) else ()):
        role = message.get("role") if isinstance(message, Mapping) else None
        whose = _ROLES.get(role, Whose.SHARED) if isinstance(role, str) else Whose.SHARED
        turn += whose is Whose.OWN
        for path, text in strings(message, f"$.messages[{number}]"):
            yield DocumentText(path, text, whose, turn, True)
