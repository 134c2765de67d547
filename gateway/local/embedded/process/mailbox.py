"""Who waits for what a worker sends: a mailbox for each sequence and embedding. Owns no process and no socket."""

import asyncio
from typing import TypeAlias

from gateway.core.errors import AduanaError, TargetError
from gateway.engine.messages import End, PromptLogs, Read, TokenLog, Tokens, Vectors

# (sequence, token, log), (sequence, tokens from the cache) with its first token, what was read of a prompt, ends,
# log-probabilities of a prompt, vectors, what went wrong.
WorkerItem: TypeAlias = (
    tuple[int, int, TokenLog | None] | tuple[int, int] | Read | End | PromptLogs | Vectors | AduanaError
)


class Mailbox:
    """What the worker has sent for one request and the request has not yet taken."""

    __slots__ = ("_items", "_waiter")

    def __init__(self) -> None:
        self._items: list[WorkerItem] = []
        self._waiter: asyncio.Future[None] | None = None

    def put(self, item: WorkerItem) -> None:
        """Adds and wakes the taker."""
        self._items.append(item)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def take(self) -> list[WorkerItem]:
        """Everything that is here, at least one item."""
        if not self._items:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
            self._waiter = None
        items, self._items = self._items, []
        return items


class Mailboxes:
    """By the sequence's number. What comes for one that is gone is dropped."""

    def __init__(self) -> None:
        self._mailboxes: dict[int, Mailbox] = {}

    def __len__(self) -> int:
        return len(self._mailboxes)

    @property
    def numbers(self) -> frozenset[int]:
        """What has not ended."""
        return frozenset(self._mailboxes)

    def add(self, number: int, mailbox: Mailbox) -> None:
        """What comes for `number` goes to `mailbox`."""
        self._mailboxes[number] = mailbox

    def remove(self, number: int) -> bool:
        """Nobody waits any more. False: it had ended before."""
        return self._mailboxes.pop(number, None) is not None

    def one(self, message: Vectors | PromptLogs) -> None:
        """A message about one of them."""
        mailbox = self._mailboxes.get(message.id)
        if mailbox is not None:
            mailbox.put(message)

    def tokens(self, message: Tokens) -> None:
        """What a step brought, in the order in which a reader wants it."""
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
        """Everybody gets the error, each mailbox once."""
        mailboxes, self._mailboxes = self._mailboxes, {}
        for mailbox in dict.fromkeys(mailboxes.values()):
            mailbox.put(error)
