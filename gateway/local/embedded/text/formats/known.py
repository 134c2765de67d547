"""Formats that no rendering shows: chosen by what the template contains."""

from gateway.local.embedded.text.formats.answer_format import AnswerFormat, Calls, Keys, Markers, Style

_HARMONY_HEADER = r"(?:<\|start\|>assistant)?"
_HARMONY = AnswerFormat(
    thought=Markers(open="<|channel|>analysis<|message|>", close="<|end|><|start|>assistant"),
    thinks=True,
    content=Markers(open="<|channel|>final<|message|>"),
    thought_begin=rf"{_HARMONY_HEADER}<\|channel\|>analysis(?: ?<\|constrain\|>\w{{1,16}})?<\|message\|>",
    thought_end=r"<\|end\|>",
    content_begin=_HARMONY_HEADER
    + r"<\|channel\|>(?:final|commentary)(?: ?(?:<\|constrain\|>)?\w{1,16})?<\|message\|>",
    no_text=r"<\|end\|>|<\|start\|>assistant(?=[< ])|<\|channel\|>commentary to=assistant(?=<)|<\|call\|>|<\|return\|>",
    thinks_anywhere=True,
    calls=Calls(
        style=Style.NAMED_JSON,
        call=Markers(open="<|channel|>commentary to=functions.", close="<|call|>"),
        between="<|start|>assistant",
        name_end=" <|constrain|>json<|message|>",
        head=_HARMONY_HEADER
        + r"(?: to=functions\.{name}<\|channel\|>\w{1,16}|<\|channel\|>\w{1,16} to=functions\.{name})"
        r"(?: ?(?:<\|constrain\|>)?\w{1,16})?<\|message\|>",
    ),
)
_MUSE = AnswerFormat(
    thought=Markers(open=" to=self<|message|>", close="<|eom|><|start|>assistant"),
    thinks=True,
    content=Markers(open=" to=user<|message|>"),
    thought_begin=r"(?:<\|start\|>assistant)? ?to=self<\|message\|>",
    thought_end=r"<\|eom\|>",
    content_begin=r"(?:<\|start\|>assistant)? ?to=user<\|message\|>",
    no_text=r"<\|eom\|>|<\|eot\|>|<\|start\|>assistant(?= )",
    thinks_anywhere=True,
    calls=Calls(
        style=Style.TAGS,
        section=Markers(open=" to={name}<|message|><atem:function_calls>\n", close="\n</atem:function_calls>"),
        call=Markers(open='<atem:invoke name="', close="\n</atem:invoke>"),
        name_end='">',
        parameter=Markers(open='\n<atem:parameter name="', close="</atem:parameter>"),
        key_end='">',
        head=r"(?:<\|start\|>assistant)? ?to=[\w.\-]{1,64}<\|message\|>\s{0,8}<atem:function_calls>\s{0,8}"
        r'<atem:invoke name="{name}">',
    ),
)
_FUNCTIONARY = AnswerFormat(
    content=Markers(open=">>>all\n"),
    content_begin=r"(?:>>>)?all\n",
    calls=Calls(
        style=Style.NAMED_JSON,
        call=Markers(open=">>>"),
        name_end="\n",
        head=r"(?:>>>|\A){name}\n(?=\{)",
    ),
)
_GEMMA = AnswerFormat(
    thought=Markers(open="<|channel>thought\n", close="<channel|>"),
    thinks=True,
    thought_begin=r"(?:<\|channel>){1,2}thought",
    no_text=r"<channel\|>|<\|tool_response>|<turn\|>",
    thinks_anywhere=True,
    calls=Calls(
        style=Style.GEMMA,
        call=Markers(open="<|tool_call>call:", close="<tool_call|>"),
    ),
)
_KIMI_K3 = AnswerFormat(
    thought=Markers(open="<|open|>think<|sep|>", close="<|close|>think<|sep|>"),
    content=Markers(open="<|open|>response<|sep|>", close="<|close|>response<|sep|>"),
    no_text=r"<\|close\|>message<\|sep\|>|<\|end_of_msg\|>|<\|sep\|>",
)
_COMMAND_R = AnswerFormat(
    no_text=r"<\|CHATBOT_TOKEN\|>",  # its answers begin with it
    calls=Calls(
        style=Style.OBJECT,
        section=Markers(open="Action:\n```json\n", close="\n```"),
        keys=Keys(name="tool_name", arguments="parameters", array=True),
    ),
)
_SOLAR = AnswerFormat(
    thought=Markers(open="<|think|>", close="<|end|>"),
    content=Markers(open="<|content|>", close="<|end|>"),
    no_text=r"<\|begin\|>assistant|<\|calls\|>",
)
_MINIMAX_M3 = AnswerFormat(
    thought=Markers(open="<mm:think>", close="</mm:think>"),
    calls=Calls(
        style=Style.TAGS,
        section=Markers(open="]<]minimax[>[<tool_call>\n", close="\n]<]minimax[>[</tool_call>"),
        call=Markers(open=']<]minimax[>[<invoke name="', close="]<]minimax[>[</invoke>"),
        between="\n",
        name_end='">',
        parameter=Markers(open="]<]minimax[>[<", close="]<]minimax[>[</{key}>"),
        key_end=">",
    ),
)
_FORMATS: tuple[tuple[tuple[str, ...], AnswerFormat], ...] = (
    (("<|channel|>analysis", "<|start|>assistant"), _HARMONY),
    (("to=self", "atem:"), _MUSE),
    ((">>>all", "recipient"), _FUNCTIONARY),
    (("<|tool_call>call:",), _GEMMA),
    (("Action:", "directly-answer"), _COMMAND_R),
    (("<|open|>", "<|sep|>"), _KIMI_K3),
    (("<|tool_call:begin|>", "<|think|>"), _SOLAR),
    (("]<]minimax[>[",), _MINIMAX_M3),
)
_LFM2 = Calls(style=Style.PYTHON, call=Markers(open="<|tool_call_start|>", close="<|tool_call_end|>"))
_GRANITE = Calls(style=Style.OBJECT, section=Markers(open="<|tool_call|>"), keys=Keys(array=True))
_CALLS: tuple[tuple[tuple[str, ...], Calls], ...] = (
    (("<|tool_list_start|>",), _LFM2),
    (("<|tool_call_start|>",), _LFM2),
    (("List of tools: [",), _LFM2),
    (("respond only with <|tool_call|>",), _GRANITE),
)
_THOUGHTS: tuple[Markers, ...] = (
    Markers(open="<|START_THINKING|>", close="<|END_THINKING|>"),
    Markers(open="[THINK]", close="[/THINK]"),
    Markers(open="<seed:think>", close="</seed:think>"),
)


def known_format(source: str) -> AnswerFormat | None:
    """Return the format of a template that is known by what it contains; its calls may be left to be derived."""
    return next((form for words, form in _FORMATS if all(word in source for word in words)), None)


def known_calls(source: str) -> Calls | None:
    """Return how calls are written by a template that only tells the model so in words."""
    return next((calls for words, calls in _CALLS if all(word in source for word in words)), None)


def known_thought(source: str) -> Markers:
    """Return the markers of a thought by what the template contains; those of most models where it says nothing."""
    return next((marks for marks in _THOUGHTS if marks.close in source), Markers(open="<think>", close="</think>"))
