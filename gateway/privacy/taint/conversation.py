"""A conversation's memory as keyed hashes. Pure: storage is the ledger's, the key is the gateway's.

A conversation is recognised by a chain of hashes over its prefixes: whoever comes with the same beginning, under
whatever id, comes with the same conversation. Long turns have a hash of their own besides, so that a turn or an answer
which is pasted into a new conversation is recognised too, and so are passages of turns, answers, prompts and texts to
embed or to rank (`texts_of`) wherever they come back. Prefixes of system prompts alone are left out: many
conversations share them. The pipeline looks all of a request's hashes up before it decides, and remembers them when
the request was sensitive, together with those of the local answer.
"""

from collections.abc import Iterator
from hashlib import blake2b

from gateway.core.request import AnyRequest, ChatRequest, CompletionRequest, EmbeddingsRequest, Message, RerankRequest

LONG = 200  # characters from which a turn is recognised by itself
_SIZE = 16
SHARED = frozenset({"system", "developer"})  # roles whose texts many conversations begin with


def prefix_hashes(request: AnyRequest, key: bytes) -> tuple[bytes, ...]:
    """Return the hashes of a chat request's prefixes and of its long turns, 16 bytes each; none for other requests."""
    if not isinstance(request, ChatRequest):
        return ()
    return tuple(dict.fromkeys(_hashes(request.messages, key)))


def answer_hashes(request: AnyRequest, answer: str, key: bytes) -> tuple[bytes, ...]:
    """Return the hashes by which the conversation is known once `answer` has become a turn of it."""
    if not isinstance(request, ChatRequest) or not answer:
        return ()
    longer = (*request.messages, Message(role="assistant", text=answer))
    known = set(_hashes(request.messages, key))
    return tuple(dict.fromkeys(item for item in _hashes(longer, key) if item not in known))


def texts_of(request: AnyRequest, *, shared: bool) -> tuple[str, ...]:
    """Return the texts whose passages are known again. `shared`: also those that many conversations begin with."""
    match request:
        case ChatRequest():
            messages = [message for message in request.messages if shared or message.role not in SHARED]
            calls = [call.arguments for message in messages for call in message.tool_calls]
            return (*(message.text for message in messages), *calls)
        case CompletionRequest():
            return tuple(prompt for prompt in (*request.prompts, request.suffix) if isinstance(prompt, str))
        case EmbeddingsRequest():
            return tuple(text for text in request.inputs if isinstance(text, str))
        case RerankRequest():
            return (request.query, *request.texts)


def beginnings(request: ChatRequest, key: bytes) -> tuple[bytes, ...]:
    """Return a hash for each beginning of the conversation: after the first message, after the second, and so on."""
    found: list[bytes] = []
    chain = b""
    for message in request.messages:
        chain = blake2b(chain + _canonical(message), key=key, digest_size=_SIZE, person=b"aduana-begin").digest()
        found.append(chain)
    return tuple(found)


def _hashes(messages: tuple[Message, ...], key: bytes) -> Iterator[bytes]:
    chain = b""
    own = False
    for message in messages:
        data = _canonical(message)
        chain = blake2b(chain + data, key=key, digest_size=_SIZE, person=b"aduana-prefix").digest()
        own = own or message.role not in SHARED
        if own:
            yield chain
        text = message.text.strip()
        if len(text) >= LONG and message.role not in SHARED:
            yield blake2b(
                text.encode("utf-8", "surrogatepass"), key=key, digest_size=_SIZE, person=b"aduana-turn"
            ).digest()


def _canonical(message: Message) -> bytes:
    """Return role, text and tool calls with their lengths before them, so that no two messages read the same."""
    parts = [message.role, message.text.strip(), message.tool_call_id or ""]
    for call in message.tool_calls:
        parts += [call.name, call.arguments]
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    return b"".join(len(part).to_bytes(8, "big") + part for part in encoded)
