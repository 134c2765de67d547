"""The memory of sensitive conversations: what is known again, wherever it comes back, and what is not."""

import asyncio
import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from gateway.core.delta import Extra, Reasoning, Text, ToolCallPart, UsageReport
from gateway.core.errors import LedgerUnavailable
from gateway.core.finding import Doubt, Finding, Inspection
from gateway.core.labels import Label
from gateway.pipeline.ports import Recollection
from gateway.policy import Sensitivity
from gateway.privacy import Inspector
from gateway.privacy.taint.fingerprints import SURE
from gateway.privacy.taint.scope import BetweenKeys
from gateway.wire.built_in_tools import note
from tests.pipeline.memory_world import IBAN, OTHER, STORY, Store, World, chat, said

CLAUSES = [clause.strip() for clause in STORY.replace(".", ",").split(",") if clause.strip()]
CALL = {"id": "c", "type": "function", "function": {"name": "read", "arguments": "{}"}}


@pytest.fixture(scope="module")
def inspector() -> Inspector:
    return Inspector(hyperscan=False)


@pytest.fixture
def world(inspector: Inspector) -> World:
    return World(inspector)


def tool_result(text: str) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "user", "content": "read the note"},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c", "content": text},
        ]
    }


def tool(**function: Any) -> dict[str, Any]:
    return chat("hello", tools=[{"type": "function", "function": {"name": "f", **function}}])


QUOTED: dict[str, dict[str, Any]] = {
    "a transcript": chat(f"Write a title for this conversation:\nUser: {STORY}\nAssistant: I see."),
    "quote marks": chat("What does she mean?\n> " + STORY.replace(", ", ",\n> ")),
    "capitals": chat(f"Look: «{STORY.upper()}» What now?"),
    "a tool's result": tool_result(json.dumps({"note": "first line\n" + STORY.replace(" the ", "\nthe ")})),
    "a system prompt": chat(("system", f"What you know of the user: {STORY}"), ("user", "hello")),
    "a developer message": chat(("developer", STORY), ("user", "hello")),
    "an answer": chat("hello", STORY, "and then?"),
    "a name": {"messages": [{"role": "user", "name": STORY[:250], "content": "hello"}]},
    "a call's arguments": {
        "messages": [
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": json.dumps({"q": STORY})}}]},
            {"role": "tool", "tool_call_id": "c", "content": "done"},
        ]
    },
    "reasoning": {"messages": [
        {"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho", "reasoning_content": STORY},
        {"role": "user", "content": "so?"},
    ]},
    "a prediction": chat("hello", prediction={"type": "content", "content": STORY}),
    "a tool's description": tool(description=STORY),
    "a schema": tool(parameters={"type": "object", "properties": {"x": {"type": "string", "description": STORY}}}),
    "a schema's words": tool(parameters={"type": "object", "properties": {"x": {"enum": CLAUSES}}}),
    "an answer's schema": chat("hello", response_format={"type": "json_schema", "json_schema": {
        "name": "x", "schema": {"type": "object", "title": STORY}}}),
    "an unknown field": chat("hello", notes={"deep": [{"er": STORY}]}),
    "an unknown field's name": chat("hello", notes={STORY: 1}),
    "metadata": chat("hello", metadata={"note": STORY[:500]}),
    "a prompt": {"prompt": f"{STORY}\n\nAnd so"},
    "several prompts": {"prompt": ["hello", STORY]},
    "a text to embed": {"input": ["hello", STORY]},
    "a text to rank": {"query": "who moves?", "documents": ["x", STORY]},
    "a query": {"query": STORY, "documents": ["x"]},
    "base64": chat("What is " + base64.b64encode(STORY.encode()).decode() + "?"),
    "base64 in a tool's result": tool_result(json.dumps({"data": base64.b64encode(STORY.encode()).decode()})),
    "hex": chat(STORY.encode().hex()),
    "escapes": chat("".join(f"\\u{ord(letter):04x}" for letter in STORY)),
    "percents": chat("".join(f"%{ord(letter):02X}" for letter in STORY)),
    "clause by clause": {"messages": [{"role": "user", "content": clause} for clause in CLAUSES]},
    "clauses with answers between": chat(*[turn for clause in CLAUSES for turn in (clause, "I see.")][:-1]),
    "clauses as parts": {"messages": [{"role": "user", "content": [
        {"type": "text", "text": clause} for clause in CLAUSES]}]},
    "clauses to embed": {"input": CLAUSES},
    "clauses as prompts": {"prompt": CLAUSES},
    "clauses to rank": {"query": "x", "documents": CLAUSES},
    "clauses in a field": chat("hello", notes=CLAUSES),
    "clauses over fields": chat("hello", notes={f"n{number}": clause for number, clause in enumerate(CLAUSES)}),
}  # fmt: skip

TOLD: dict[str, dict[str, Any]] = {
    "chat": chat(STORY),
    "parts": {"messages": [{"role": "user", "content": [{"type": "text", "text": clause} for clause in CLAUSES]}]},
    "clause by clause": {"messages": [{"role": "user", "content": clause} for clause in CLAUSES]},
    "prompt": {"prompt": STORY},
    "embeddings": {"input": [STORY]},
    "rerank": {"query": "x", "documents": [STORY]},
    "system": chat(("system", STORY), ("user", "hello")),
    "developer": chat(("developer", STORY), ("user", "hello")),
    "tool": tool_result(STORY),
    "description": tool(description=STORY),
    "unknown": chat("hello", notes=[STORY]),
    "base64": chat(base64.b64encode(STORY.encode()).decode()),
}


@pytest.mark.parametrize("place", QUOTED)
async def test_a_sensitive_text_is_known_wherever_it_is_quoted(world: World, place: str) -> None:
    """A text that was told in private stays home in every place, encoding and cut in which it comes back."""
    assert await world.leaves(QUOTED[place])
    world.restart()
    await world.taint.remember(*_told(world, chat(STORY)))
    assert not await world.leaves(QUOTED[place])


def _told(world: World, body: Mapping[str, Any]) -> tuple[Any, ...]:
    return world.inbound(body, "health"), Sensitivity(whole=True), Recollection()


@pytest.mark.parametrize("told", TOLD)
async def test_a_sensitive_text_is_known_wherever_it_was_told(world: World, told: str) -> None:
    """What was told under a tag, in any place of any kind of request, is known again under the same key."""
    if "documents" in TOLD[told]:
        await world.taint.remember(*_told(world, TOLD[told]))
    else:
        assert not await world.leaves(TOLD[told], "health")
    for place in ("a transcript", "base64", "clause by clause", "a tool's description"):
        assert not await world.leaves(QUOTED[place]), place


@pytest.mark.parametrize("place", ["a transcript", "base64", "clause by clause", "a prompt"])
async def test_other_texts_leave(world: World, place: str) -> None:
    """Beside a sensitive story, another one is as free as before."""
    await world.leaves(chat(STORY), "health")
    assert await world.leaves(json.loads(json.dumps(QUOTED["a transcript"]).replace(STORY, OTHER)))
    assert await world.leaves(chat("What is the capital of France?"))


BOAT = "The red boat comes back to the island on Friday."  # 37 letters and digits


@pytest.mark.parametrize(
    "later",
    [
        chat(("system", "It is 12:03."), ("user", "Hola"), ("assistant", "Dime"), ("user", BOAT), ("user", "So?")),
        chat(BOAT),
        chat(f"Title for: {BOAT}"),
        chat("hello", prediction={"type": "content", "content": BOAT}),
        chat(base64.b64encode(BOAT.encode()).decode()),
        {"prompt": f"A letter.\n{BOAT}\nYours"},
        {"input": ["x", BOAT]},
    ],
)
async def test_a_short_turn_is_known_again(world: World, later: dict[str, Any]) -> None:
    """A short turn is known by itself and as a line of another text, whatever clock stands in a system prompt."""
    first = chat(("system", "It is 12:01."), ("user", "Hola"), ("assistant", "Dime"), ("user", BOAT))
    assert not await world.leaves(first, "health")
    assert not await world.leaves(later)
    assert await world.leaves(chat("The green car is in the garage until Monday at least."))


async def test_a_conversation_stays_to_its_ninth_turn_and_when_it_is_trimmed(world: World) -> None:
    """Later turns stay home though none of them says anything sensitive, also where an app cuts old turns off."""
    world.answers(Text(text="Well."))
    turns = [BOAT]
    assert not await world.leaves(chat(*turns), "health")
    for number in range(9):
        turns += ["Well.", f"And what would you say to number {number} of them?"]
        assert not await world.leaves(chat(("system", f"Now: {number}"), *_roles(turns))), number
        assert not await world.leaves(chat(*_roles(turns[-5:])))
    assert await world.leaves(chat(turns[-1]))  # harmless by itself


def _roles(turns: Sequence[str]) -> list[tuple[str, str]]:
    return [(("user", "assistant")[number % 2], turn) for number, turn in enumerate(turns)]


async def test_a_conversation_is_known_after_a_restart(world: World) -> None:
    """What only the process knew is not needed."""
    await world.leaves(chat(BOAT), "health")
    world.restart()
    assert not await world.leaves(chat(BOAT, "Oh.", "And now?"))


GREETING = "Hola"


async def test_a_greeting_identifies_nothing(world: World) -> None:
    """After a private conversation that began with a greeting, conversations that begin with it are free."""
    turns = (GREETING, "¿En qué puedo ayudarte?", f"Mi cuenta es {IBAN}, ¿es válida?")
    assert await world.leaves(chat(GREETING))
    assert not await world.leaves(chat(*turns))
    for key in ("app", "other"):
        assert await world.leaves(chat(GREETING), key=key)
        assert await world.leaves(chat(*turns[:2], "¿Qué tiempo hace?"), key=key)
    assert not await world.leaves(chat(*turns, "Sí.", "¿Y ahora?"))
    assert not await world.leaves(chat(GREETING), "health")
    assert await world.leaves(chat(GREETING))


@pytest.mark.parametrize(
    ("between", "passage", "line"), [("nothing", True, True), ("passages", False, True), ("everything", False, False)]
)
async def test_what_is_known_under_another_key_is_the_owners_choice(
    inspector: Inspector, between: str, passage: bool, line: bool
) -> None:
    """Under another key a short line tells nothing of what somebody else has told, unless the setting says so."""
    world = World(inspector, between=BetweenKeys(between))
    await world.leaves(chat(STORY), "health")
    await world.leaves(chat(BOAT), "health")
    assert await world.leaves(QUOTED["a transcript"], key="other") is passage
    assert await world.leaves(chat(BOAT), key="other") is line
    assert not await world.leaves(QUOTED["a transcript"])
    assert not await world.leaves(chat(BOAT))


@pytest.mark.parametrize("later", list(BetweenKeys))
@pytest.mark.parametrize("first", list(BetweenKeys))
async def test_a_changed_setting_forgets_nothing(inspector: Inspector, first: BetweenKeys, later: BetweenKeys) -> None:
    """Whatever the setting was when a text was told, its own key knows it again."""
    before = World(inspector, between=first)
    await before.leaves(chat(BOAT), "health")
    await before.leaves(chat(STORY), "health")
    after = World(inspector, between=later, store=before.store)
    assert not await after.leaves(chat(BOAT))
    assert not await after.leaves(QUOTED["a transcript"])


PUBLIC = [f"Paragraph {number}: {OTHER.replace('light', word)}" for number, word in enumerate(("sun", "lamp", "fire"))]


@pytest.mark.parametrize("how", ["one turn", "a tool's result", "a system prompt", "messages"])
async def test_public_paragraphs_beside_a_finding_stay_free(world: World, how: str) -> None:
    """An account number keeps its own sentence and conversation at home, and not the paragraphs beside it."""
    secret = f"Juan's account for the rent of the house is {IBAN} since March."
    document = f"{PUBLIC[0]}\n\n{secret}\n\n{PUBLIC[1]}"
    body = {
        "one turn": chat(document),
        "a tool's result": tool_result(document),
        "a system prompt": chat(("system", document), ("user", "hello")),
        "messages": chat(PUBLIC[0], "Yes.", secret, "Yes.", PUBLIC[1]),
    }[how]
    assert not await world.leaves(body)
    for paragraph in PUBLIC:
        assert await world.leaves(chat(f"What does this say?\n{paragraph}"))
        assert await world.leaves(tool_result(paragraph))
    sentence = secret.replace(IBAN, "hidden")
    assert await world.leaves(chat(sentence))  # another sentence
    assert not await world.leaves(chat(f"{PUBLIC[2]} {secret}"))


class Cut:
    """Inspector that finds a number which is cut between two texts where the word CUT stands."""

    def __init__(self, path: str) -> None:
        self.path = path

    def inspect(self, document: object, media: object = frozenset(), *, letters: bool = True) -> Inspection:
        found = Finding(detector="x", category="id.x", path=self.path, start=0, end=0, confidence=1.0)
        return Inspection(findings=(found,) if "CUT" in str(document) else ())


@pytest.mark.parametrize("path", ["$.messages[2].content", "$.messages[2].content[1].text"])
async def test_a_number_that_is_cut_between_texts_keeps_their_border_at_home(path: str) -> None:
    """Where a number ends in the next page of a result, the page's beginning is remembered and not the whole page."""
    world = World(Cut(path))
    border = f"CUT 0005 1332 is the rest of the number, and it belongs to {STORY[:120]}"
    page = f"{border}\n\n{PUBLIC[0]}\n\n{PUBLIC[1]}"
    body = tool_result(page)
    if path.endswith("text"):
        body["messages"][2]["content"] = [{"type": "text", "text": "page one"}, {"type": "text", "text": page}]
    assert not await world.leaves(body)
    assert await world.leaves(chat(f"What does this say?\n{PUBLIC[1]}"))
    assert not await world.leaves(chat(border.replace("CUT", "cut")))


async def test_a_text_that_has_left_stays_free_also_in_the_sentence_of_a_finding(world: World) -> None:
    """A number in front of a public text, without a stop between, keeps the text at home only where it never left."""
    text = "The committee met again and spoke of the harbour, the weather and the price of bread. " * 20
    assert await world.leaves(chat(f"first {text}"))
    assert not await world.leaves(chat(f"second {IBAN} {text}"))
    assert await world.leaves(chat(f"third {text}"))
    assert not await world.leaves(chat(f"second {IBAN} {text}", "I see.", "And now?"))


async def test_taint_does_not_jump_from_hop_to_hop(world: World) -> None:
    """What stood beside a quote of something sensitive is as free as before, however many hops there were."""
    await world.leaves(chat(STORY), "health")
    assert not await world.leaves(chat(f"{STORY}\n\n{PUBLIC[0]}"))
    assert not await world.leaves(chat(f"{PUBLIC[0]}\n\n{PUBLIC[1]}\n\n{STORY}"))
    for paragraph in PUBLIC:
        assert await world.leaves(chat(paragraph))
        assert await world.leaves({"input": [paragraph]})


async def test_what_the_gateway_itself_says_is_nobodys_secret(world: World) -> None:
    """A private request with tools that nobody has keeps no other request with such tools at home; odd names count."""
    kinds = ("web_search_20250305", "file_search", "code_interpreter", "image_generation", "computer_use_preview")

    def told(text: str, *names: str, prompt: str = "") -> dict[str, Any]:
        messages = [{"role": "system", "content": prompt + note(names)}, {"role": "user", "content": text}]
        return {"messages": messages}

    odd = (*kinds, "the_patient_of_bed_4_takes_morphine_and_his_daughter_does_not_know")
    await world.leaves(told("My results are back.", *kinds), "health")
    await world.leaves(told("My results are back again.", *odd), "health")
    await world.leaves(told("How are my results?", *kinds, prompt="You help nurses.\n\n"), "health")
    assert await world.leaves(told("What is the capital of France?", *kinds))
    assert await world.leaves(told("What is the capital of Chile?", *kinds, prompt="You help cooks.\n\n"))
    assert not await world.leaves(told("What is the capital of Spain?", *odd))


async def test_a_question_in_a_sensitive_conversation_is_askable_elsewhere(world: World) -> None:
    """A harmless question that was asked there too may go out from another conversation."""
    await world.leaves(chat(BOAT), "health")
    assert not await world.leaves(chat(BOAT, "Oh.", "What is the capital of France?"))
    assert await world.leaves(chat("What is the capital of France?"))


@pytest.mark.parametrize("where", ["system", "tool"])
async def test_a_question_about_a_private_document_may_be_asked_about_another(world: World, where: str) -> None:
    """An identity number in a document keeps the conversation about it at home, not the same question elsewhere."""
    question = "Summarise this document in three short sentences."
    answer = "It is about the rent of a house, and says to whom and how it is paid every month."

    def asked(document: str, *later: str) -> dict[str, Any]:
        if where == "system":
            return chat(("system", document), *_roles([question, *later]))
        body = tool_result(document)
        body["messages"][0]["content"] = question
        body["messages"] += [{"role": ("assistant", "user")[n % 2], "content": text} for n, text in enumerate(later)]
        return body

    world.answers(*said(answer))
    assert not await world.leaves(asked(f"The rent goes to {IBAN}."))
    assert not await world.leaves(asked(f"The rent goes to {IBAN}.", answer, "And?"))
    assert not await world.leaves(chat(question, answer, "And?"))  # the document was cut off
    assert not await world.leaves(chat(question, answer, "And?", "Well.", "So?"))
    for _ in range(2):
        assert await world.leaves(asked(PUBLIC[0]))
        assert await world.leaves(asked(PUBLIC[1], "It is about plants.", "Which ones?"))


class Late:
    """Inspector that is out of time, or fails, once."""

    def __init__(self, reason: str) -> None:
        self.reason: str | None = reason

    def inspect(self, document: object, media: object = frozenset(), *, letters: bool = True) -> Inspection:
        reason, self.reason = self.reason, None
        return Inspection(doubts=(Doubt(reason=reason, path="$"),) if reason else ())


@pytest.mark.parametrize("reason", ["time", "detector_failed:entities", "detector_failed:topics"])
async def test_a_doubt_of_the_moment_decides_once(reason: str) -> None:
    """A question that was kept at home because the model of names was still loading may go out a minute later."""
    world = World(Late(reason))
    question = chat(OTHER, "Yes.", "What is the capital of France?")
    assert not await world.leaves(question)
    assert await world.leaves(question)


@pytest.mark.parametrize("reason", ["image", "size", "unreadable_part"])
async def test_a_doubt_that_lasts_is_remembered(reason: str) -> None:
    """What nobody can read may be anything, so the conversation about it stays home."""
    world = World(Late(reason))
    assert not await world.leaves(chat(OTHER))
    assert not await world.leaves(chat(OTHER, "Yes.", "And?"))


async def test_a_system_prompt_that_has_left_before_stays_free(world: World) -> None:
    """An app's own system prompt is no secret because one of its conversations is."""
    prompt = ("system", f"You are the assistant of a garden centre. {OTHER}")
    assert await world.leaves(chat(prompt, ("user", "hello")))
    assert not await world.leaves(chat(prompt, ("user", STORY)), "health")
    assert await world.leaves(chat(prompt, ("user", "hello again")))
    assert not await world.leaves(chat(("user", STORY)))


async def test_what_was_never_allowed_out_is_not_harmless(world: World) -> None:
    """An internal text that stayed at home is remembered when it is told as private later."""
    note = ("system", STORY)
    assert not await world.leaves(chat(note, ("user", "hello")), "work")
    assert not await world.leaves(chat(note, ("user", "hello there")), "health")
    assert not await world.leaves(QUOTED["a transcript"])


async def test_what_was_public_and_failed_to_leave_is_not_harmless(world: World) -> None:
    """A public text that no cloud took is remembered when it is told as private later."""
    script, world.house.big.script = world.house.big.script, (LedgerUnavailable("x"),)
    with pytest.raises(LedgerUnavailable):
        await world.leaves(chat(("system", STORY), ("user", "hello")))
    world.house.big.script = script
    await world.leaves(chat(("system", STORY), ("user", "hello")), "health")
    assert not await world.leaves(QUOTED["a transcript"])


async def test_a_text_that_has_left_is_no_secret_but_the_conversation_about_it_is(world: World) -> None:
    """A template that went out before beside nothing sensitive may go out again; a private conversation may not."""
    assert await world.leaves(chat(f"{OTHER} What is it?"))
    assert not await world.leaves(chat(f"{OTHER}\n\n{STORY}"), "health")
    assert await world.leaves(chat(f"{OTHER}\n\nA new question"))
    assert not await world.leaves(chat(f"Another.\n\n{STORY}"))
    assert not await world.leaves(chat(f"{OTHER}\n\n{STORY}", "I see.", "And now?"))
    assert not await world.leaves(chat(f"{OTHER} What is it?"), "health")
    assert not await world.leaves(chat(f"{OTHER} What is it?", "I see.", "And now?"))


async def test_explain_says_what_is_known_from_before(world: World) -> None:
    """The explanation names how and where a request is known, and never a word of it."""
    await world.leaves(chat(STORY), "health")
    await world.leaves(chat(BOAT), "health")
    seen = await world.explained(chat("x", "y", f"Look: {STORY}"))
    assert (seen.tainted, seen.label) == (True, "sensitive")
    assert ("passage", "$.messages[2].content") in [(trace.kind, trace.path) for trace in seen.traces]
    seen = await world.explained(chat(BOAT, "Oh.", "So?"))
    assert {trace.kind for trace in seen.traces} == {"line", "conversation"}
    assert b"island" not in seen.json()
    assert not (await world.explained(chat(OTHER))).tainted


ANSWERS: dict[str, tuple[Any, ...]] = {
    "one choice": said(STORY),
    "two choices": tuple(delta for pair in zip(said(STORY), said(OTHER, 1), strict=False) for delta in pair)
    + said(STORY)[len(said(OTHER)) :],
    "reasoning between": tuple(delta for text in said(STORY) for delta in (text, Reasoning(text="hm so what "))),
    "a call": tuple(ToolCallPart(call=0, id="c", name="f", arguments=text.text) for text in said(STORY)),
    "parallel calls": tuple(
        delta
        for number, text in enumerate(said(STORY))
        for delta in (
            ToolCallPart(call=0, id="c", name="f", arguments=text.text),
            ToolCallPart(call=1, id="d", name="g", arguments=f" other {number} words"),
        )
    ),
    "base64": said(base64.b64encode(STORY.encode()).decode()),
    "a field of the message": tuple(
        Extra(fields={"reasoning_details": ({"type": "reasoning.text", "text": text.text},)}) for text in said(STORY)
    ),
    "a field beside a call": (
        ToolCallPart(call=0, id="c", name="f", arguments="{}", extra={"extra_content": {"note": STORY}}),
    ),
}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("form", ANSWERS)
async def test_an_answer_to_a_sensitive_question_is_known_wherever_it_is_quoted(
    world: World, form: str, stream: bool
) -> None:
    """However the pieces of an answer are braided, each choice, call and thought is remembered by itself."""
    world.answers(*ANSWERS[form])
    assert not await world.leaves(chat("hola", stream=stream), "health")
    for place in ("a transcript", "a tool's result", "base64", "clause by clause"):
        assert not await world.leaves(QUOTED[place]), place
    assert await world.leaves(json.loads(json.dumps(QUOTED["a transcript"]).replace(STORY, "something else")))


async def test_a_short_answer_belongs_to_the_conversation(world: World) -> None:
    """A question too short to identify anything is known by its answer."""
    answer = "It was positive, according to the laboratory's letter."
    world.answers(*said(answer))
    assert not await world.leaves(chat("and the HIV?"), "health")
    assert not await world.leaves(chat("and the HIV?", answer, "so?"))
    assert await world.leaves(chat("and the HIV?"))


async def test_a_running_answer_is_known_before_the_client_has_it(world: World) -> None:
    """Whatever a client quotes of an answer that still streams, or was cut off, stays home."""
    world.answers(*said(STORY))
    inbound = world.inbound(chat("hola", stream=True), "health")
    had = ""
    async with world.house.pipeline.generate(inbound, inbound.request) as answer:
        async for delta in answer.deltas:
            had += delta.text if isinstance(delta, Text) else ""
            if sum(map(str.isalnum, had)) >= SURE:
                assert not await _would_leave(world, f"Title: {had}"), had
                if len(had) > 250:
                    break
    world.restart()
    assert not await _would_leave(world, f"Title: {had}")


async def _would_leave(world: World, text: str) -> bool:
    return (await world.explained(chat(text))).label == "public"


async def test_an_answer_that_cannot_be_remembered_is_not_given(world: World) -> None:
    """With a ledger that takes nothing more, the stream ends with an error before the text that nobody would know."""
    world.answers(*said(STORY))
    store = world.store
    assert isinstance(store, Store)
    inbound = world.inbound(chat("hola, una pregunta sobre mi salud", stream=True), "health")
    had = ""
    with pytest.raises(LedgerUnavailable):
        async with world.house.pipeline.generate(inbound, inbound.request) as answer:
            store.broken = True
            async for delta in answer.deltas:
                had += delta.text if isinstance(delta, Text) else ""
    await world.house.settlements.close()
    assert sum(map(str.isalnum, had)) < 96
    assert world.house.outcomes == ["error"]


async def test_an_answer_in_one_piece_is_remembered_before_it_is_given(world: World) -> None:
    """What is not streamed costs one write, before the last delta: until then the client has nothing."""
    world.answers(*said(STORY))
    store = world.store
    assert isinstance(store, Store)
    inbound = world.inbound(chat("hola"), "health")
    seen: list[type] = []
    with pytest.raises(LedgerUnavailable):
        async with world.house.pipeline.generate(inbound, inbound.request) as answer:
            store.broken = True
            async for delta in answer.deltas:
                seen.append(type(delta))
    assert UsageReport not in seen
    await world.house.settlements.close()


async def test_the_last_frame_waits_for_the_memory(world: World) -> None:
    """A short answer is remembered before the client is told that it is complete."""
    world.answers(*said("It was positive, according to the laboratory's letter."))
    inbound = world.inbound(chat("y el VIH?", stream=True), "health")
    async with world.house.pipeline.generate(inbound, inbound.request) as answer:
        kinds = []
        async for delta in answer.deltas:
            kinds.append(type(delta).__name__)
            if kinds[-1] == "Finish":
                later = chat("y el VIH?", "It was positive, according to the laboratory's letter.", "so?")
                assert (await world.explained(later)).tainted
    assert kinds[-2:] == ["Finish", "UsageReport"]


async def test_harmless_never_overrules_what_a_running_answer_has_said(world: World) -> None:
    """A text that left while a sensitive answer said it too is sensitive afterwards."""
    system = ("system", STORY)
    assert await world.leaves(chat(system, ("user", "hello")))
    world.answers(*said(STORY))
    assert not await world.leaves(chat("hola"), "health")
    assert not await world.leaves(chat(system, ("user", "hello")))


async def test_known_turns_of_a_long_conversation_are_looked_up_once(world: World) -> None:
    """A turn is not looked up again until something sensitive is remembered; then every turn is."""
    store = world.store
    assert isinstance(store, Store)
    turns = [f"{number} {OTHER}" for number in range(41)]
    await world.leaves(chat(*turns))
    first, store.asked = store.asked, 0
    await world.leaves(chat(*turns, "hm", "and now?"))
    assert store.asked < first / 2
    world.answers(*said(f"7 {OTHER}"))
    await world.leaves(chat("x"), "health")
    assert not await world.leaves(chat(*turns, "hm", "and now?"))


async def test_a_lookup_that_was_overtaken_does_not_count(world: World) -> None:
    """When something sensitive is remembered while a lookup waits, the next request looks again."""
    reached, go_on = asyncio.Event(), asyncio.Event()
    store = world.store
    lookup = store.taint_lookup

    async def slow(hashes: Sequence[bytes]) -> Mapping[bytes, Label]:
        found = await lookup(hashes)
        reached.set()
        await go_on.wait()
        return found

    store.taint_lookup = slow  # type: ignore[method-assign]
    body = {"input": [STORY]}
    first = asyncio.create_task(world.explained(body))
    await reached.wait()
    await world.taint.remember(*_told(world, {"prompt": STORY}))
    go_on.set()
    assert not (await first).tainted
    assert (await world.explained(body)).tainted
