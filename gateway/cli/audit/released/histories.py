"""Harmless requests after private ones: what stood beside something sensitive, or began like it, is free to go."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product

from gateway.cli.audit.cases import OTHER_KEY, AuditCase, Numbers, released, remembered
from gateway.cli.audit.client import AuditClient, Result
from gateway.cli.audit.planted.encodings import CANARIES
from gateway.cli.audit.planted.places import CHAT, Body, Place, chat, put_first, put_said, put_tool
from gateway.cli.audit.planted.tags import PRIVATE
from gateway.cli.audit.recorder import answer
from gateway.cli.audit.released.look_alikes import GROUP
from gateway.cli.audit.stories import line, story

_OTHER = (("Authorization", f"Bearer {OTHER_KEY}"),)
_GREETINGS = ("Hola", "Hi", "Hello!", "Buenos días", "¿Qué tal?", "Hola, ¿me puedes ayudar?", "Thanks!", "ok",
              "Good morning", "Hey, are you there?")  # fmt: skip
_QUESTIONS = (
    "What is the capital of France, and how many people live there?",
    "Which plants grow well on a balcony that gets sun only in the morning?",
    "¿Cómo se hace una tortilla de patatas sin que se pegue a la sartén?",
    "Explain the difference between a list and a tuple in Python, with one example each.",
    "Why does the moon look larger when it stands near the horizon?",
    "Write a haiku about the first snow on an old wooden bridge.",
)
_PROMPT = (
    "You are the assistant of a shop for garden tools. Answer in the language of the question, in at most three "
    "sentences, and say so if you don't know. Never make up prices. Say the opening hours if asked."
)
_DOUBTED = tuple(f"{line(f'doubt {number}')}. {question}" for number, question in enumerate(_QUESTIONS))
_TOLD = "memory: the telling"
_TOOLS: Body = {
    "name": "read_file",
    "description": "Reads a file of the workspace and returns its lines with numbers before them, from one line on.",
    "parameters": {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Path of the file, from the root of the workspace on."},
            "first": {
                "type": "integer",
                "description": "Number of the first line to return; the file begins with 1.",
            },
        },
        "required": ["path"],
    },
}


def everyday(asking: AuditClient, numbers: Numbers) -> list[Result]:
    """Hold public conversations of several turns, and quote their answers, which the cloud gave."""
    group = f"{GROUP}: public conversations"
    results: list[Result] = []
    for name, system in {"plain": (), "with a system prompt": ({"role": "system", "content": _PROMPT},)}.items():
        turns: list[Body] = [*system]
        for number, question in enumerate(_QUESTIONS, 1):
            marker = numbers.marker()
            turns.append({"role": "user", "content": f"{question} ({marker})"})
            results += asking.ask([released(group, f"{name}, turn {number}", _talk(turns), marker, "")])
            turns.append({"role": "assistant", "content": answer(marker)})
            quoted = released(group, f"{name}, its answer quoted", CHAT["user"], numbers.marker(), answer(marker))
            results += asking.ask([quoted])
    return results


def _talk(turns: Sequence[Body]) -> Place:
    """Return a place in which the text is no part: a conversation, with the marker beside it."""
    said = list(turns)
    return Place(
        path=CHAT["user"].path,
        body=lambda marker, _: {"model": "auto", "max_tokens": 60, "x_audit": marker, "messages": said},
    )


def after_private_ones(asking: AuditClient, numbers: Numbers) -> list[Result]:
    """Ask what many people ask, after private conversations that began or were set up in the same way."""
    app = f"{GROUP}: an app's own prompt and tools"
    results = asking.ask(
        released(app, "before", _with_app(tools=tools), numbers.marker(), _QUESTIONS[0]) for tools in (True, False)
    )
    results += asking.ask(_private_beginnings(numbers))
    greeted = f"{GROUP}: greetings"
    later = [released(greeted, text, _bare(text), numbers.marker(), "") for text in _GREETINGS]
    later += [
        released(greeted, f"{text}, another key", _bare(text), numbers.marker(), "", headers=_OTHER)
        for text in _GREETINGS
    ]
    later += [
        released(app, f"after, {question[:32]}", _with_app(tools=number % 2 == 0), numbers.marker(), question)
        for number, question in enumerate(_QUESTIONS)
    ]
    return results + asking.ask(later)


def _private_beginnings(numbers: Numbers) -> Iterator[AuditCase]:
    """Yield private conversations: greetings with an identifier behind them, greetings with a tag, an app with one."""
    account = CANARIES[1].text
    for greeting in _GREETINGS:
        turns = [
            {"role": "user", "content": greeting},
            {"role": "assistant", "content": "¿En qué puedo ayudarte?"},
            {"role": "user", "content": f"Mi cuenta es {account}, ¿es válida?"},
        ]
        yield remembered(_TOLD, "greeting and account", _talk(turns), numbers.marker(), account)
        yield remembered(_TOLD, "greeting", _bare(greeting), numbers.marker(), "", headers=PRIVATE)
    for tools in (True, False):
        marker = numbers.marker()
        yield remembered(_TOLD, "app", _with_app(tools=tools), marker, line(marker), headers=PRIVATE)


def _bare(text: str) -> Place:
    return _talk([{"role": "user", "content": text}])


def _with_app(*, tools: bool) -> Place:
    """Return a place for a question in an app with its system prompt and perhaps its tools."""

    def change(body: Body, text: str) -> None:
        put_first(body, "system", _PROMPT)
        if tools:
            put_tool(body, **_TOOLS)
        put_said(body, text)

    return chat(change)


def beside_an_identifier(asking: AuditClient, numbers: Numbers) -> list[Result]:
    """Put public paragraphs beside an identifier, then ask about them alone, and beside others, hop after hop."""
    group = f"{GROUP}: beside an identifier"
    paragraphs = [story(f"public {numbers.marker()}") for _ in range(12)]
    results = asking.ask(
        remembered(_TOLD, "paragraphs", documents(paragraphs[3 * place : 3 * place + 3]), numbers.marker(), canary.text)
        for place, (documents, canary) in enumerate(zip(_DOCUMENTS.values(), CANARIES, strict=False))
    )
    for hop in (1, 2):  # what stood beside it, then what stands beside that
        for (role, documents), place in product(_DOCUMENTS.items(), range(0, 12, 2)):
            told = paragraphs[place : place + hop]
            name = f"paragraph {place + 1}, {role}, hop {hop}"
            results += asking.ask([released(group, name, documents(told), numbers.marker(), "What is this about?")])
    return results


def _in_system(paragraphs: Sequence[str]) -> Place:
    def change(body: Body, text: str) -> None:
        put_first(body, "system", "Answer from these documents.\n\n" + "\n\n".join(paragraphs))
        put_said(body, text)

    return chat(change)


def _in_parts(paragraphs: Sequence[str]) -> Place:
    return chat(lambda body, text: put_said(body, [{"type": "text", "text": part} for part in (*paragraphs, text)]))


def _in_a_tools_result(paragraphs: Sequence[str]) -> Place:
    def change(body: Body, text: str) -> None:
        body["messages"] += CHAT["tool result"].body("", "\n\n".join(paragraphs))["messages"][1:]
        put_said(body, text)

    return chat(change)


def _in_one_text(paragraphs: Sequence[str]) -> Place:
    return chat(lambda body, text: put_said(body, "\n".join((*paragraphs, text))))


_DOCUMENTS: Mapping[str, Callable[[Sequence[str]], Place]] = {
    "system": _in_system,
    "parts": _in_parts,
    "a tool's result": _in_a_tools_result,
    "one text": _in_one_text,
}


def doubted(numbers: Numbers) -> Iterator[AuditCase]:
    """Yield harmless questions to be asked while inspection has no time."""
    for question in _DOUBTED:
        yield remembered(_TOLD, "a moment's doubt", CHAT["user"], numbers.marker(), question)


def after_a_doubt(numbers: Numbers) -> Iterator[AuditCase]:
    """Yield the same questions, asked again."""
    for question in _DOUBTED:
        yield released(f"{GROUP}: after a moment's doubt", question[:40], CHAT["user"], numbers.marker(), question)
