"""Chat templates of models, and the round trip through each: what it renders of an answer is read again as a model's.

`python -m tests.standins.chat_templates` writes docs/templates.md, the table of what works.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gateway.core.document import freeze_object, thaw
from gateway.core.errors import BadRequest
from gateway.core.request import Message, ToolCall
from gateway.local.embedded.text.chat_template import ChatTemplate
from gateway.local.embedded.text.formats.answer_format import Style, Tool
from gateway.local.embedded.text.formats.reader import AnswerReader, CallArguments, CallBegun, Said, Thought
from gateway.local.embedded.text.formats.segments import shared_start, without_turn_end
from gateway.local.embedded.text.formats.writer import written

FOLDER = Path(__file__).resolve().parents[1] / "data" / "chat_templates"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "templates.md"
MORE = "ADUANA_CHAT_TEMPLATES"  # environment variable: a folder of others
RAW_TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_time",
            "description": "Tell the time.",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "Where."},
                    "days": {"type": "integer", "description": "In how many days."},
                    "more": {"type": "object", "description": "What else.", "additionalProperties": True},
                },
                "required": ["city"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "get",
            "description": "Its name is the beginning of the other's.",
            "parameters": {"type": "object", "properties": {"x": {"type": "string", "description": "Any text."}}},
        },
    },
]
TOOLS = tuple(freeze_object(tool) for tool in RAW_TOOLS)
OFFERED = tuple(
    Tool(name=tool["function"]["name"], parameters=freeze_object(tool["function"]["parameters"]))  # type: ignore[index]
    for tool in RAW_TOOLS
)
QUESTION = Message(role="user", text="What time is it?")


def answer(text: str = "", thought: str | None = None, **calls: dict[str, object]) -> Message:
    """Make an assistant's turn; calls by the name of the tool."""
    made = tuple(
        ToolCall(id=f"call_{number}", name=name, arguments=json.dumps(arguments))
        for number, (name, arguments) in enumerate(calls.items())
    )
    return Message(role="assistant", text=text, reasoning=thought, tool_calls=made)


ANSWERS = {
    "plain answer": answer("Half past <b>two</b>.\n\nI think."),
    "thought": answer("Half past two.", "Let me see.\nYes."),
    "one call": answer(get_time={"city": "Paris", "days": 3}),
    "two calls": answer(get={"x": "y"}, get_time={"city": "Rome"}),
    "nested": answer(
        get_time={"city": 'a "b" <c> {d}\nsecond', "more": {"list": [1, {"deep": 'q"u'}], "flag": True}},
    ),
}


class Heard(msgspec.Struct, frozen=True):
    """What was read of an answer: text and thought without blanks around them, calls with their arguments."""

    text: str
    thought: str
    calls: tuple[tuple[str, object], ...]


def templates() -> Iterator[tuple[str, Path]]:
    """Yield the names and files of all templates, in order."""
    folders = [FOLDER, *([Path(os.environ[MORE])] if MORE in os.environ else [])]
    found = {path.stem: path for folder in folders for path in sorted(folder.glob("*.jinja"))}
    yield from sorted(found.items(), key=lambda item: item[0].casefold())


def opened(path: Path) -> ChatTemplate:
    """Compile a template."""
    return ChatTemplate(path.read_text("utf-8"), bos="<BOS>", eos="<EOS>")


def written_by_model(template: ChatTemplate, message: Message) -> tuple[str, bool]:
    """Return what a model would have written of a turn, and whether the prompt had opened a thought before it."""
    prompt = template.render((QUESTION,), TOOLS)
    whole = _history(template, message)
    text = whole[len(shared_start(whole, prompt)) :]
    form = template.format
    end = _history(template, answer("PLAIN")).partition("PLAIN")[2].removeprefix(form.content.close).strip()
    assert form.calls is not None
    text = without_turn_end(text)
    if end and end in text:
        text = text[: text.rfind(end) if end in form.calls.call.open else text.find(end)]
    if "CHATBOT_TOKEN|>\nAction" in text:  # Command R+'s template says more in the model's turn
        text = text[: text.find("<|START_OF_TURN")]
    if len(message.tool_calls) > 1 and not template.shape.shows_several:
        text = _several(template, message)
    thinking = template.opens_thought(prompt)
    if message.reasoning and message.reasoning not in text:  # the template leaves earlier thoughts out
        text = ("" if thinking else form.thought.open) + message.reasoning + form.thought.close + text
    if form.thought.close and form.thought.close not in text and thinking:
        text = form.thought.close + text
    elif form.thought.close in text and form.thought.open not in text:
        thinking = thinking or bool(message.reasoning)
    return text, thinking


def _history(template: ChatTemplate, message: Message) -> str:
    return template.rendered((QUESTION, message), [thaw(tool) for tool in TOOLS], generate=False)


def _several(template: ChatTemplate, message: Message) -> str:
    assert template.format.calls is not None
    return written(template.format.calls, [(call.name, call.arguments) for call in message.tool_calls])


def read(template: ChatTemplate, text: str, size: int, *, thinking: bool = False) -> Heard:
    """Read an answer in pieces of this size."""
    reader = AnswerReader(template.format, OFFERED, thinking=thinking)
    events = [event for start in range(0, len(text), size) for event in reader.feed(text[start : start + size])]
    events += reader.flush()
    said, thought, calls = "", "", list[list[str]]()
    for event in events:
        match event:
            case Said():
                said += event.text
            case Thought():
                thought += event.text
            case CallBegun():
                calls.append([event.name, ""])
            case CallArguments():
                calls[-1][1] += event.text
    return Heard(said.strip(), thought.strip(), tuple((name, json.loads(arguments)) for name, arguments in calls))


def meant(message: Message) -> Heard:
    """Return what must be read of a turn."""
    calls = tuple((call.name, json.loads(call.arguments)) for call in message.tool_calls)
    return Heard(message.text.strip(), message.reasoning or "", calls)


def comes_back(template: ChatTemplate, message: Message, *, every_size: bool = False) -> bool:
    """Say whether a turn is read as it was meant."""
    text, thinking = written_by_model(template, message)
    sizes = range(1, len(text) + 2) if every_size else (1, 4, len(text) + 1)
    return all(read(template, text, size, thinking=thinking) == meant(message) for size in sizes)


def shows(template: ChatTemplate, words: tuple[str, ...], *messages: Message) -> bool:
    """Say whether all these words stand in the prompt of a conversation."""
    try:
        prompt = template.render(messages, TOOLS)
    except BadRequest:
        return False
    return all(word in prompt for word in words)


def row(template: ChatTemplate) -> dict[str, bool]:
    """Return what works with a template, by column."""
    call = answer(get_time={"city": "Paris"})
    result = Message(role="tool", text="Half past two.", tool_call_id="call_0")
    calls = answer(get={"x": "y"}, get_time={"city": "Rome"})
    results = (result, Message(role="tool", text="Three.", tool_call_id="call_1"))
    columns = {name: comes_back(template, message) for name, message in ANSWERS.items()}
    columns["pieces of every size"] = comes_back(template, ANSWERS["nested"], every_size=True)
    columns["tool result"] = shows(template, ("Half past two.", "Paris"), QUESTION, call, result) and shows(
        template, ("Half past two.", "Three.", "Rome"), QUESTION, calls, *results
    )
    columns["system"] = shows(template, ("Be kind.",), Message(role="system", text="Be kind."), QUESTION)
    columns["developer"] = shows(template, ("Be kind.",), Message(role="developer", text="Be kind."), QUESTION)
    columns["no system"] = shows(template, (QUESTION.text,), QUESTION)
    return columns


MARK = r" \*"  # behind the name of a template that is not in this repository
STYLES = {
    Style.OBJECT: "JSON object",
    Style.NAMED_JSON: "name, then JSON",
    Style.TAGS: "tag a parameter",
    Style.PYTHON: "Python call",
    Style.GEMMA: "Gemma's braces",
}


def line(name: str, path: Path) -> str:
    """Return a template's line of the table, marked where the template is not in this repository."""
    template = opened(path)
    mark_of_row = "" if path.parent == FOLDER else MARK
    assert template.format.calls is not None
    calls = template.format.calls
    mark = (calls.section.open or calls.call.open).strip().replace("\n", " ").replace("|", "\\|") or "none"
    marks = [f"`{mark}`" if mark != "none" else mark, STYLES[calls.style]]
    return (
        f"| {name}{mark_of_row} | "
        + " | ".join([*marks, *("✓" if works else "–" for works in row(template).values())])
        + " |"
    )


HEAD = """# Chat templates

What the embedded engine makes of the chat templates of models: how it reads their thoughts and tool calls, and what
of a conversation reaches the model. Made by `python -m tests.standins.chat_templates`; a test compares it with what
the code does.

A template with \\* is not in this repository, because of its licence, so no test here checks its row. It was checked
with `ADUANA_CHAT_TEMPLATES=folder`, which adds the templates of a folder (such as `models/templates` of llama.cpp, or
one with the template of your own model) to the tests and to this page; without it the command keeps these rows.

A format is learnt when a model is loaded: its template renders conversations of unmistakable words, and what stands
around them are the markers. So a model that is not in this table works the same way, if its template writes calls in
one of these styles. Formats that no rendering shows (gpt-oss, Gemma 4, LFM2 and a few others) are known by what their
templates contain.

Whether and how much a model thinks is told to templates by the variables that they ask for (`enable_thinking`,
`thinking`, `reasoning_effort`, `thinking_budget` and the like), whichever field the client sends: OpenAI's
`reasoning_effort`, `reasoning` of Responses and OpenRouter, Anthropic's `thinking`, Ollama's `think`. An effort that
a template does not know becomes the nearest one. A thought that is longer than the budget is ended with the model's
own marker, and the answer follows. Variables in `chat_template_kwargs` go to the template as they are.

- The first six columns are round trips: the template renders an answer, and the part that the model would have
  written is read again, in pieces of several sizes; "nested" has quotes, braces, line ends and JSON within JSON.
- Where a template leaves out earlier thoughts, text beside calls or all calls but one, the model's part is written
  with its markers, and each call gets a turn of its own in what the model sees of the conversation.
- "system" and "developer": the text reaches the model; where a template has no such role, in the first question.
- A template that knows no tools is told of them in words, with the format that is then read.

| template | calls begin with | style | {columns} |
|{dashes}|
"""


def page(before: str = "") -> str:
    """Return the page docs/templates.md. `before`: the page until now, whose marked rows stay where none is newer."""
    rows = {name: line(name, path) for name, path in templates()}
    for old in before.splitlines():
        name, mark, _ = old.removeprefix("| ").partition(f"{MARK} |")
        if mark:
            rows.setdefault(name, old)
    columns = list(row(opened(next(templates())[1])))
    head = HEAD.format(columns=" | ".join(columns), dashes="---|" * (len(columns) + 2) + "---")
    return head + "".join(f"{rows[name]}\n" for name in sorted(rows, key=str.casefold))


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
