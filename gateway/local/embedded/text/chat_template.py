"""Chat template of a model: Jinja from the GGUF file, in a sandbox. Reads the date for templates that print it.

The functions and filters are those that Hugging Face's `apply_chat_template` offers to templates.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.parser
import jinja2.sandbox

from gateway.core.document import JsonObject, thaw
from gateway.core.errors import BadRequest
from gateway.core.request import Message

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_TOOLS = (
    "You may call functions. Available functions, one JSON description a line:\n<tools>\n{tools}\n</tools>\n"
    "To call one, answer with only this, one block for each call:\n"
    '<tool_call>\n{{"name": "<function name>", "arguments": {{<arguments as JSON>}}}}\n</tool_call>'
)


class _Generation(jinja2.ext.Extension):
    """Jinja tag `{% generation %}…{% endgeneration %}`, which marks text for training; here it changes nothing."""

    tags = {"generation"}  # noqa: RUF012 - the type is jinja2's

    def parse(self, parser: jinja2.parser.Parser) -> list[jinja2.nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _raise(message: str) -> None:
    raise jinja2.TemplateRuntimeError(message)


def _tojson(
    value: object,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


class ChatTemplate:
    """Compiled chat template. `source` empty: ChatML."""

    def __init__(self, source: str, *, bos: str, eos: str, now: Callable[[], datetime] = datetime.now) -> None:
        environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, "jinja2.ext.loopcontrols"]
        )
        environment.filters["tojson"] = _tojson
        environment.globals["raise_exception"] = _raise
        environment.globals["strftime_now"] = lambda form: now().strftime(form)
        self._source = source or CHATML
        self._template = environment.from_string(self._source)
        self._tokens = {"bos_token": bos, "eos_token": eos}
        self.knows_tools = "tools" in self._source

    def render(self, messages: Sequence[Message], tools: Sequence[JsonObject] = ()) -> str:
        """Render the prompt, up to where the model's answer begins.

        Raises:
            BadRequest: the template refuses these messages, or fails with them.
        """
        turns = [_turn(message) for message in messages]
        offered = [thaw(tool) for tool in tools]
        if offered and not self.knows_tools:
            lines = "\n".join(_tojson(tool) for tool in offered)
            turns = _with_system(turns, _TOOLS.format(tools=lines))
        try:
            return self._render(turns, offered)
        except jinja2.TemplateError as first:
            if any(turn["role"] == "system" for turn in turns):
                try:  # some templates refuse system messages: then their text opens the first question
                    return self._render(_without_system(turns), offered)
                except jinja2.TemplateError:
                    pass
            raise BadRequest(
                f"The model's chat template refuses these messages: {str(first)[:300]}", param="messages"
            ) from first
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise BadRequest("The model's chat template can't render these messages.", param="messages") from error

    def _render(self, turns: Sequence[Mapping[str, object]], tools: Sequence[object]) -> str:
        return self._template.render(
            messages=turns, tools=tools or None, add_generation_prompt=True, documents=None, **self._tokens
        )


def _turn(message: Message) -> dict[str, object]:
    role = "system" if message.role == "developer" else message.role
    turn: dict[str, object] = {"role": role, "content": message.text}
    if message.name:
        turn["name"] = message.name
    if message.tool_call_id:
        turn["tool_call_id"] = message.tool_call_id
    if message.reasoning:
        turn["reasoning_content"] = message.reasoning
    if message.tool_calls:
        turn["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _arguments(call.arguments)},
            }
            for call in message.tool_calls
        ]
    return turn


def _arguments(text: str) -> object:
    """Parse a call's arguments, for templates expect an object; what is none stays text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, dict) else text


def _with_system(turns: list[dict[str, object]], text: str) -> list[dict[str, object]]:
    if turns and turns[0]["role"] == "system":
        return [turns[0] | {"content": f"{turns[0]['content']}\n\n{text}"}, *turns[1:]]
    return [{"role": "system", "content": text}, *turns]


def _without_system(turns: list[dict[str, object]]) -> list[dict[str, object]]:
    text = "\n\n".join(str(turn["content"]) for turn in turns if turn["role"] == "system")
    rest = [turn for turn in turns if turn["role"] != "system"]
    for number, turn in enumerate(rest):
        if turn["role"] == "user":
            rest[number] = turn | {"content": f"{text}\n\n{turn['content']}"}
            return rest
    return [{"role": "user", "content": text}, *rest]
