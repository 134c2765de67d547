"""A conversation's memory as keyed hashes of the client's own turns. Pure: storage is the ledger's.

A conversation is known again by the chain of its own turns, whatever clock or hint an app writes into its system
prompt, and by pairs of neighbouring turns, so that it is known also where old turns were cut off. Beginnings that hold
fewer than `LEAST` letters and digits of the client's own ("Hola") identify nothing and have no hash.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

import msgspec

from gateway.core.request import AnyRequest, ChatRequest, Message
from gateway.privacy.taint.fingerprints import letters
from gateway.privacy.taint.lines import LEAST

_SIZE = 16
_EXCHANGE = 2 * LEAST  # letters and digits of a question and its answer: fewer are a greeting
SHARED = frozenset({"system", "developer"})  # roles whose texts many conversations begin with


class Turn(msgspec.Struct, frozen=True):
    """A turn as the conversation's hashes see it."""

    digest: bytes
    letters: int  # letters and digits
    own: bool


class Link(msgspec.Struct, frozen=True):
    """A hash of a conversation, which makes it sensitive from its own turn number `turn` (from 1) on.

    A question with its answer does so from the next turn on: asked by itself, the question says nothing yet.
    """

    hash: bytes
    turn: int
    message: int  # place of the last turn that is in it
    beginning: bool = False  # all own turns up to there are in it


def turn_digest(text: str, key: bytes) -> tuple[bytes, int]:
    """Return a digest of a turn's letters and digits, and how many they are."""
    plain = letters(text)
    data = plain.encode("utf-8", "surrogatepass")
    return blake2b(data, key=key, digest_size=_SIZE, person=b"aduana-turn").digest(), len(plain)


def turns_of(request: AnyRequest) -> list[tuple[int, str, bool]]:
    """Return the texts of questions and answers, as (number of the message, text, whether it is the client's own)."""
    if not isinstance(request, ChatRequest):
        return []
    return [
        (number, message.text, message.role == "user")
        for number, message in enumerate(request.messages)
        if message.role in ("user", "assistant") and message.text.strip()
    ]


def links(turns: Sequence[tuple[int, Turn]], key: bytes) -> Iterator[Link]:
    """Yield the hashes by which a conversation is known: each beginning of its own turns, and each two neighbours.

    Args:
        turns: Each turn behind the number of its message.
        key: Secret of the hashes.
    """
    chain, length, count = b"", 0, 0
    own: Turn | None = None
    answer: Turn | None = None
    for message, turn in turns:
        if turn.own:
            count += 1
            length += turn.letters
            chain = _hash(b"aduana-chain", chain + turn.digest, key)
            if length >= LEAST:
                yield Link(chain, count, message, beginning=True)
            if own is not None and own.letters + turn.letters >= LEAST:
                yield Link(_pair(own, turn, key), count, message)
            if answer is not None and answer.letters + turn.letters >= _EXCHANGE:
                yield Link(_pair(answer, turn, key), count, message)
            own, answer = turn, None
            continue
        if own is not None and own.letters + turn.letters >= _EXCHANGE:
            yield Link(_pair(own, turn, key), count + 1, message)
        answer = turn


def conversation_of(linked: Iterable[Link], key: bytes, whose: tuple[str, str | None]) -> bytes | None:
    """Return a hash (8 bytes) of how a conversation begins, by which its requests are found together.

    None: its own turns hold too little to tell. The system prompt does not count, for apps write the time into it.

    Args:
        linked: What `links` yields of it.
        key: Secret of the hashes.
        whose: Name of the caller's key, and the user: what others begin with the same words is another conversation.
    """
    for link in linked:
        if link.beginning:
            name, user = whose
            owner = f"{len(name)} {name} {user or ''}".encode("utf-8", "surrogatepass")
            return blake2b(link.hash + owner, key=key, digest_size=8, person=b"aduana-talk").digest()
    return None


def exchange(turns: Sequence[tuple[int, Turn]], answer: Turn, key: bytes) -> tuple[bytes, ...]:
    """Return the hash of the last question and its answer; nothing where both are too short to identify anything."""
    own = next((turn for _, turn in reversed(turns) if turn.own), None)
    return (_pair(own, answer, key),) if own is not None and own.letters + answer.letters >= _EXCHANGE else ()


def beginnings(request: ChatRequest, key: bytes) -> tuple[bytes, ...]:
    """Return a hash for each beginning of the conversation: after the first message, after the second, and so on."""
    found: list[bytes] = []
    chain = b""
    for message in request.messages:
        chain = _hash(b"aduana-begin", chain + _canonical(message), key)
        found.append(chain)
    return tuple(found)


def _pair(one: Turn, other: Turn, key: bytes) -> bytes:
    roles = b"own" if other.own else b"answer"
    return _hash(b"aduana-pair", one.digest + other.digest + roles, key)


def _hash(person: bytes, data: bytes, key: bytes) -> bytes:
    return blake2b(data, key=key, digest_size=_SIZE, person=person).digest()


def _canonical(message: Message) -> bytes:
    """Return role, text and tool calls with their lengths before them, so that no two messages read the same."""
    parts = [message.role, message.text.strip(), message.tool_call_id or ""]
    for call in message.tool_calls:
        parts += [call.name, call.arguments]
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    return b"".join(len(part).to_bytes(8, "big") + part for part in encoded)
