"""Mailboxes for what a worker sends: one for each sequence and embedding. Owns no process and no socket."""

import asyncio
from typing import TypeAlias

from gateway.core.errors import AduanaError, TargetError
from gateway.engine.messages import End, Measured, PromptLogs, Read, TokenLog, Tokens, Vectors

# (sequence, token, log), (sequence, tokens from the cache) with its first token, what was read of a prompt, ends,
# log-probabilities of a prompt, vectors, what went wrong.
WorkerItem: TypeAlias = (
    tuple[int, int, TokenLog | None] | tuple[int, int] | Read | End | PromptLogs | Vectors | Measured | AduanaError
)


class Mailbox:
    """Mailbox of one request: what the worker has sent and the request has not yet taken."""

    __slots__ = ("_items", "_waiter")

    def __init__(self) -> None:
        self._items: list[WorkerItem] = []
        self._waiter: asyncio.Future[None] | None = None

    def put(self, item: WorkerItem) -> None:
        """Add an item and wake the taker."""
        self._items.append(item)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def take(self) -> list[WorkerItem]:
        """Return everything that is here, at least one item."""
        if not self._items:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
            self._waiter = None
        items, self._items = self._items, []
        return items


class Mailboxes:
    """All mailboxes of one worker, by the number of the sequence. What comes for a number without one is dropped."""

    def __init__(self) -> None:
        self._mailboxes: dict[int, Mailbox] = {}

    def __len__(self) -> int:
        return len(self._mailboxes)

    @property
    def numbers(self) -> frozenset[int]:
        """Numbers that have not ended."""
        return frozenset(self._mailboxes)

    def add(self, number: int, mailbox: Mailbox) -> None:
        """Deliver what comes for `number` to `mailbox` from now on."""
        self._mailboxes[number] = mailbox

    def remove(self, number: int) -> bool:
        """Deliver nothing more for a number. False: it had ended before."""
        return self._mailboxes.pop(number, None) is not None

    def one(self, message: Vectors | PromptLogs | Measured) -> None:
        """Deliver a message about one sequence or embedding."""
        mailbox = self._mailboxes.get(message.id)
        if mailbox is not None:
            mailbox.put(message)

    def tokens(self, message: Tokens) -> None:
        """Deliver what a step brought, in the order in which a reader wants it."""
        mailboxes = self._mailboxes
        for read in message.reads:
            mailbox = mailboxes.get(read.id)
            if mailbox is not None:
                mailbox.put(read)
        for number, cached in message.starts:
            mailbox = mailboxes.get(number)
            if mailbox is not None:
                mailbox.put((number, cached))
        logs = message.logs
        for place, number in enumerate(message.ids):
            mailbox = mailboxes.get(number)
            if mailbox is not None:
                mailbox.put((number, message.tokens[place], logs[place] if logs else None))
        for end in message.ends:
            mailbox = mailboxes.get(end.id)
            if mailbox is not None:
                mailbox.put(end)

    def fail(self, error: TargetError) -> None:
        """Deliver the error to everybody, to each mailbox once."""
        mailboxes, self._mailboxes = self._mailboxes, {}
        for mailbox in dict.fromkeys(mailboxes.values()):
            mailbox.put(error)
