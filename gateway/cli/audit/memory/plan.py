"""The order in which things are told and quoted: at once, under another key, and after the gateway was killed."""

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus

import msgspec

from gateway.cli.audit.cases import OTHER_KEY, Numbers
from gateway.cli.audit.client import AuditClient, Result
from gateway.cli.audit.memory.answers import answers, cut_short, quotes_of_cut, while_they_come
from gateway.cli.audit.memory.quotes import Pair, quotes, some_of_apps, some_quotes
from gateway.cli.audit.memory.stored import continued, keep
from gateway.cli.audit.memory.turns import Conversation, conversations

_AFTER = "memory: after a restart"
_OTHER = (("Authorization", f"Bearer {OTHER_KEY}"),)


def memory(
    asking: AuditClient, numbers: Numbers, *, restart: Callable[[], AuditClient], full: bool
) -> Iterator[list[Result]]:
    """Tell, then quote and go on; do some of it again behind a restart. `restart` returns the new gateway's client."""
    yield from _told_and_quoted(asking, quotes(numbers, full=full))
    yield from _told_and_quoted(asking, answers(numbers))
    yield from _told_and_quoted(asking, _under_another_key(numbers))
    for conversation in conversations("memory: turns", numbers):
        yield _told(asking, conversation)
        yield asking.ask(conversation.later())
    kept = keep(asking, numbers)
    yield kept.told
    yield asking.ask(continued("memory: stored", kept, numbers))
    yield while_they_come(asking, numbers)
    pairs = [*some_quotes(_AFTER, numbers), *some_of_apps(_AFTER, numbers)]
    yield asking.ask(told for told, _ in pairs)
    talks = conversations(_AFTER, numbers)
    for conversation in talks:
        yield _told(asking, conversation)
    cut = cut_short(asking, numbers)
    asking = restart()
    yield asking.ask(quoted for _, quoted in pairs)
    yield asking.ask(quotes_of_cut(cut, numbers))
    yield asking.ask(continued(_AFTER, kept, numbers))
    for conversation in talks:
        yield asking.ask(conversation.later())


def _told_and_quoted(asking: AuditClient, pairs: Iterable[Pair]) -> Iterator[list[Result]]:
    """Send all tellings, then the quotations of those that were answered: what was refused is known to nobody."""
    pairs = list(pairs)
    told = asking.ask({told.marker: told for told, _ in pairs}.values())
    heard = {result.case.marker for result in told if result.status == HTTPStatus.OK}
    yield told
    yield asking.ask(quoted for told_first, quoted in pairs if told_first.marker in heard)


def _told(asking: AuditClient, conversation: Conversation) -> list[Result]:
    return [result for case in conversation.told() for result in asking.ask([case])]


def _under_another_key(numbers: Numbers) -> Iterator[Pair]:
    for told, quoted in some_quotes("memory: under another key", numbers):
        yield told, msgspec.structs.replace(quoted, headers=_OTHER)
