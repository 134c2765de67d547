"""XML as a stream of what it says. No entity is ever expanded but XML's own five, so nothing in it can grow.

expat is used directly, since documents with a million cells must be read without building their tree, and comments and
processing instructions count as well.
"""

from collections.abc import Iterator
from typing import TypeAlias
from xml.parsers import expat

from gateway.attachments.worker.parts import Budget

Event: TypeAlias = tuple[str, str, list[tuple[str, str | None]]]  # start, end, data, comment, instruction
_STEP = 64 * 1024
_NONE: list[tuple[str, str | None]] = []


class NotWellFormed(Exception):
    """Reason why XML can't be read to its end: it breaks XML's rules, or declares entities."""


def texts(data: bytes, budget: Budget) -> Iterator[Event]:
    """Yield elements, texts, comments and instructions in order. Names keep their prefix: `w:t`.

    Raises:
        NotWellFormed: behind what was yielded until there.
        BudgetSpent: the time is over.
    """
    events: list[Event] = []
    parser = _parser(events)
    for at in range(0, len(data) + 1, _STEP):
        budget.time()
        problem: expat.ExpatError | NotWellFormed | None = None
        try:
            parser.Parse(data[at : at + _STEP], at + _STEP > len(data))
        except (expat.ExpatError, NotWellFormed) as error:
            problem = error
        yield from events
        events.clear()
        if problem is not None:
            raise NotWellFormed from problem


def _parser(events: list[Event]) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.ordered_attributes = True

    def refuse(*_: object) -> int:
        raise NotWellFormed

    def start(name: str, attributes: list[str]) -> None:
        pairs: list[tuple[str, str | None]] = (
            list(zip(attributes[::2], attributes[1::2], strict=True)) if attributes else _NONE
        )
        events.append(("start", name, pairs))

    def declared(name: str, system: str | None, public: str | None, own: int) -> None:
        if own:
            refuse()
        events.append(("comment", " ".join(filter(None, (name, public, system))), _NONE))

    parser.StartDoctypeDeclHandler = declared
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: events.append(("end", name, _NONE))
    parser.CharacterDataHandler = lambda text: events.append(("data", text, _NONE))
    parser.CommentHandler = lambda text: events.append(("comment", text, _NONE))
    parser.ProcessingInstructionHandler = lambda target, text: events.append(("instruction", f"{target} {text}", _NONE))
    return parser
