"""Chat templates: what they may use, what they may not, and how messages reach them."""

from datetime import datetime

import pytest

from gateway.core.document import freeze_object
from gateway.core.errors import BadRequest
from gateway.core.request import Message, ToolCall
from gateway.local.embedded.text.chat_template import ChatTemplate

USER = Message(role="user", text="Hi")
TOOL = freeze_object({"type": "function", "function": {"name": "weather", "description": "ñ"}})


def render(source: str, *messages: Message, tools: tuple[object, ...] = ()) -> str:
    """The prompt by a template of the test."""
    template = ChatTemplate(source, bos="<s>", eos="</s>", now=lambda: datetime(2026, 5, 4))
    return template.render(messages or (USER,), tools)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"),
        ("{{ bos_token }}{{ messages[0].content }}{{ eos_token }}", "<s>Hi</s>"),
        ("{{ messages | tojson }}", '[{"role": "user", "content": "Hi"}]'),
        ("{{ 'ñ' | tojson(ensure_ascii=True) }}", '"\\u00f1"'),
        ("{{ {'b': 1, 'a': 2} | tojson(indent=1, sort_keys=True) }}", '{\n "a": 2,\n "b": 1\n}'),
        ("{{ strftime_now('%d %b %Y') }}", "04 May 2026"),
        ("{% generation %}x{% endgeneration %}", "x"),
        ("{% for m in messages %}{% break %}{% endfor %}done", "done"),
        ("{{ add_generation_prompt }}{{ tools is none }}", "TrueTrue"),
        ("a\n{% if true %}\nb\n{% endif %}\n", "a\nb\n"),
    ],
)
def test_what_templates_may_use(source: str, expected: str) -> None:
    """A template may use the functions and filters that templates of published models call."""
    assert render(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "{{ raise_exception('no') }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ messages.clear() }}",
        "{{ messages[0].__init__.__globals__ }}",
        "{% for i in range(10000000) %}{% endfor %}",
        "{% for m in messages %}{{ messages.append(m) }}{% endfor %}",
        "{{ undefined_function() }}",
        "{{ 1 / 0 }}",
    ],
)
def test_what_templates_may_not(source: str) -> None:
    """A template that raises, or reaches out of the sandbox, is an error for the client, never a crash."""
    with pytest.raises(BadRequest):
        render(source)


def test_a_template_without_tools_is_told_of_them_in_words() -> None:
    """Tools that a template does not know are told in words; they are never dropped in silence."""
    text = render("", tools=(TOOL,))
    assert "weather" in text
    assert "<tool_call>" in text


def test_a_template_with_tools_gets_them_as_data() -> None:
    """A template that knows tools gets them as data and decides how they are written."""
    assert render("{{ tools[0].function.name }}{{ messages | length }}", tools=(TOOL,)) == "weather1"


def test_system_text_moves_where_a_template_refuses_it() -> None:
    """A model without a system role still reads the system message."""
    source = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "{{ m.role }}: {{ m.content }}|{% endfor %}"
    )
    assert render(source, Message(role="developer", text="Be kind."), USER) == "user: Be kind.\n\nHi|"


def test_tool_calls_reach_the_template_as_objects() -> None:
    """Arguments of tool calls are JSON text on the wire, and an object in templates."""
    source = (
        "{% for m in messages %}{% for c in m.tool_calls or [] %}{{ c.function.name }} {{ c.function.arguments.city }} "
        "{% endfor %}{{ m.content }} {{ m.name }}{% endfor %}"
    )
    call = ToolCall(id="c1", name="weather", arguments='{"city": "Paris"}')
    messages = (
        Message(role="assistant", text="", tool_calls=(call,)),
        Message(role="tool", text="18°", tool_call_id="c1"),
    )
    assert render(source, *messages) == "weather Paris  18° weather"


ALTERNATING = (
    "{% for m in messages %}{% if m.role == 'system' and not loop.first %}"
    "{{ raise_exception('system first') }}{% endif %}"
    "{% if m.role == 'user' and loop.previtem and loop.previtem.role == 'user' %}"
    "{{ raise_exception('by turns') }}{% endif %}"
    "[{{ m.role }}]{{ m.content }}{% endfor %}"
)
SILENT = (
    "{% for m in messages %}{% if m.role != 'system' or loop.first %}"
    "[{{ m.role }}]{{ m.content }}{% endif %}{% endfor %}"
)


@pytest.mark.parametrize("source", [ALTERNATING, SILENT])
def test_roles_reach_templates_that_want_them_by_turns(source: str) -> None:
    """Turns in a row, and a system's message anywhere, reach a template that refuses them or passes over them."""
    messages = (
        Message(role="system", text="One."),
        USER,
        Message(role="assistant", text="Yes?"),
        Message(role="system", text="Two."),
        Message(role="user", text="Go."),
    )
    assert render(source, *messages).replace("\n", "") == "[system]One.[user]Hi[assistant]Yes?[user]Two.Go."
