"""Who waits for what a worker sends: a mailbox for each sequence and embedding. Owns no process and no socket."""

from gateway.core.errors import TargetError
from gateway.engine.messages import PromptLogs, Tokens, Vectors
from gateway.local.embedded_link import Mailbox


class Mailboxes:
    """By the sequence's number. What comes for one that is gone is dropped."""

    def __init__(self) -> None:
        self._boxes: dict[int, Mailbox] = {}

    def __len__(self) -> int:
        return len(self._boxes)

    @property
    def numbers(self) -> frozenset[int]:
        """What has not ended."""
        return frozenset(self._boxes)

    def add(self, number: int, box: Mailbox) -> None:
        """What comes for `number` goes to `box`."""
        self._boxes[number] = box

    def remove(self, number: int) -> bool:
        """Nobody waits any more. False: it had ended before."""
        return self._boxes.pop(number, None) is not None

    def one(self, message: Vectors | PromptLogs) -> None:
        """A message about one of them."""
        box = self._boxes.get(message.id)
        if box is not None:
            box.put(message)

    def tokens(self, message: Tokens) -> None:
        """What a step brought, in the order in which a reader wants it."""
        boxes = self._boxes
        for read in message.reads:
            box = boxes.get(read.id)
            if box is not None:
                box.put(read)
        for number, cached in message.starts:
            box = boxes.get(number)
            if box is not None:
                box.put((number, cached))
        logs = message.logs
        for place, number in enumerate(message.ids):
            box = boxes.get(number)
            if box is not None:
                box.put((number, message.tokens[place], logs[place] if logs else None))
        for end in message.ends:
            box = boxes.get(end.id)
            if box is not None:
                box.put(end)

    def fail(self, error: TargetError) -> None:
        """Everybody gets the error, each mailbox once."""
        boxes, self._boxes = self._boxes, {}
        for box in dict.fromkeys(boxes.values()):
            box.put(error)
