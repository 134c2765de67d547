"""Masked requests through the pipeline: what leaves, what comes back, what stays, and what is remembered."""

import asyncio
import base64
import json
from functools import partial

import msgspec
import pytest

from gateway.core.delta import Finish, FinishReason, Text, UsageReport
from gateway.core.document import freeze_object, thaw
from gateway.core.errors import LedgerUnavailable, PolicyRefused, TargetUnavailable
from gateway.core.finding import Doubt, Inspection
from gateway.core.labels import Label
from gateway.core.request import Caller, Inbound
from gateway.core.usage import Usage
from gateway.ledger import Ledger, LedgerSettings
from gateway.ledger.encryption import Seal
from gateway.pipeline.masking import Examine, Masker, MaskStore
from gateway.policy import load_policy
from gateway.privacy import InspectionSettings, Inspector
from gateway.wire.openai import requests as openai_requests
from tests.pipeline.house import House

MAIL, OTHER, IBAN = "ana.lopez@clinica-sol.es", "luis@otra-clinica.es", "ES91 2100 0418 4502 0005 1332"
POLICY = """
version: 1
labels: {default: internal, tags: {public: public, health: sensitive}, findings: {network: public}}
rules:
  - {name: mail goes out masked, when: {tags: public}, mask: [contact.email, person, custom]}
  - {name: cloud first, when: {tags: public}, prefer: [big, spare, home]}
otherwise: {prefer: [home, big]}
"""


@pytest.fixture(scope="module")
def inspector() -> Inspector:
    return Inspector(InspectionSettings(words={"project": ("Halcón",)}))


def keeping(store: MaskStore, secret: bytes, examine: Examine) -> Masker:
    """Return a house as after a start: nothing in memory, and this store."""
    return Masker(examine=examine, store=store, sealing=Seal(secret), key=secret)


@pytest.fixture
def house(inspector: Inspector) -> House:
    return Masks(inspector, POLICY)


class SecondLook:
    """Inspector that sees something else in every second document: the masked one."""

    def __init__(self, inspector: Inspector, changes: dict[str, object]) -> None:
        self.inspector = inspector
        self.changes = changes
        self.seen: list[object] = []

    def inspect(self, document, media=frozenset(), *, letters=True) -> Inspection:
        self.seen.append(document)
        found = self.inspector.inspect(document, media)
        changes = {"findings": (), "doubts": ()} | self.changes
        return found if len(self.seen) % 2 else msgspec.structs.replace(found, **changes)


class Masks(House):
    """A house whose clouds answer with what they were told."""

    async def say(
        self, *texts: str, tags=("public",), key="anonymous", ident="req_1", person: str | None = None, **fields: object
    ) -> str:
        """Ask in a conversation of the user's and the assistant's turns, and return the answer's text."""
        roles = ("user", "assistant")
        messages = [{"role": roles[number % 2], "content": text} for number, text in enumerate(texts)]
        body = {"model": "auto", "messages": messages, **fields}
        return await self.send(body, tags=tags, key=key, ident=ident, person=person)

    async def send(self, body, *, tags=("public",), key="anonymous", ident="req_1", person=None) -> str:
        document = freeze_object(body)
        request = openai_requests.parse_chat(document)
        size = len(json.dumps(body))
        caller = Caller(key=key, user=person)
        inbound = Inbound(id=ident, request=request, caller=caller, tags=frozenset(tags), size=size)
        try:
            async with self.pipeline.generate(inbound, request) as answer:
                self.route = answer.route
                return "".join([delta.text async for delta in answer.deltas if isinstance(delta, Text)])
        finally:
            await self.settlements.close()

    def sent(self, number: int = -1):
        """Return the document that a cloud got."""
        asked = (self.big.asked + self.spare.asked)[number]
        return thaw(asked.document)

    def told(self, number: int = -1) -> str:
        return self.sent(number)["messages"][-1]["content"]

    def echo(self, target=None) -> None:
        """Let the cloud say from now on what it was asked, letter by letter."""
        target = target or self.big
        generate = target.generate

        async def echoed(asked, **options):
            async for _ in generate(asked, **options):
                pass
            for letter in thaw(asked.document)["messages"][-1]["content"]:
                yield Text(text=letter)
            yield Finish(reason=FinishReason.STOP)
            yield UsageReport(usage=Usage(input=1, output=1))

        target.generate = echoed


async def test_a_masked_request_leaves_and_its_answer_comes_back_whole(house):
    """The cloud sees a pseudonym, the client its own words; the receipt says what was masked, and no value."""
    house.echo()
    assert await house.say(f"Escribe a {MAIL}.") == f"Escribe a {MAIL}."
    assert MAIL not in str(house.sent())
    assert "@mail.invalid" in house.told()
    receipt = house.ledger.receipts[0]
    assert receipt.masked == (("contact.email", 1),)
    assert receipt.label is Label.PUBLIC
    assert MAIL.encode() not in msgspec.json.encode(receipt)
    assert house.route.masked == (("contact.email", 1),)
    assert house.outcomes == ["ok"]


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        (f"{MAIL} y {IBAN}", ("public",)),
        (f"{MAIL} y password: hunter2hunter2", ("public",)),
        (MAIL, ("public", "health")),
        (MAIL, ()),
        ("YW5hLmxvcGV6QGNsaW5pY2Etc29sLmVz y " + MAIL, ("public",)),
    ],
)
async def test_what_may_not_be_masked_whole_stays_as_it_is(house, text, tags):
    """A request with another finding, a secret, a tag or an encoding is answered at home as it came."""
    await house.say(text, tags=tags)
    assert not house.big.asked
    assert house.home.asked[0].messages[0].text == text
    assert house.ledger.receipts[0].masked == ()
    assert house.route.masked == ()


async def test_a_residue_keeps_the_original_at_home(inspector):
    """A request stays at home unmasked if the fresh inspection finds something, or meets what it can't look at."""
    for extra in (
        {"findings": inspector.inspect(freeze_object({"a": IBAN})).findings},
        {"doubts": (Doubt(reason="time", path="$"),)},
    ):
        second_look = SecondLook(inspector, extra)
        house = Masks(second_look, POLICY)
        await house.say(MAIL)
        assert len(second_look.seen) == 2
        assert MAIL not in str(second_look.seen[1])
        assert not house.big.asked
        assert len(house.home.asked) == 1
        assert not house.masks.kept


async def test_a_fallback_at_home_gets_the_original(house):
    """A target at home gets the original, because the decision about it lets it go there."""
    house.big.script = house.spare.script = (TargetUnavailable("down"),)
    assert await house.say(f"Escribe a {MAIL}.") == "Hello you"
    assert house.home.asked[0].messages[0].text == f"Escribe a {MAIL}."
    assert all(MAIL not in str(thaw(asked.document)) for asked in house.big.asked + house.spare.asked)
    assert house.route.label is Label.SENSITIVE


async def test_every_cloud_of_the_decision_gets_pseudonyms(house):
    """A second cloud that is tried after the first gets the masked document too."""
    house.big.script = (TargetUnavailable("down"),)
    house.echo(house.spare)
    assert await house.say(f"Escribe a {MAIL}.") == f"Escribe a {MAIL}."
    assert MAIL not in str(thaw(house.spare.asked[0].document))


async def test_a_conversation_keeps_its_pseudonyms(inspector):
    """A next turn with a new value, after a restart, keeps the old pseudonym; another conversation has others."""
    before = Masks(inspector, POLICY)
    await before.say(f"Escribe a {MAIL}.")
    first = before.told().split()[-1]
    house = Masks(inspector, POLICY, masker=partial(keeping, before.masks, b"k"))
    await house.say(f"Escribe a {MAIL}.", "Hecho.", f"Y a {OTHER}, con copia a {MAIL}.")
    assert first in house.told()
    assert house.sent()["messages"][0]["content"].endswith(first)
    assert before.masks.writes == 2
    await house.say(f"Escribe a {MAIL}.", "Hecho.", f"Y a {OTHER}, con copia a {MAIL}.", "Sí.", "Gracias")
    assert before.masks.writes == 2, "nothing new was written"
    await house.say(f"Otra cosa: {MAIL}")
    assert first not in house.told()
    await house.say(f"Escribe a {MAIL}.", key="laptop")
    assert first not in house.told()


async def test_two_people_behind_one_key_have_pseudonyms_of_their_own(house):
    """Else whoever begins like another would be told what that one's pseudonyms stand for."""
    told = []
    for person in ("ana", "ben", None, "ana"):
        await house.say(f"Escribe a {MAIL}.", key="webui", person=person)
        told.append(house.told())
    assert len(set(told)) == 3
    assert told[0] == told[3]


async def test_the_mapping_is_kept_sealed(house):
    """Neither value nor pseudonym can be read in what is stored."""
    await house.say(f"Escribe a {MAIL}.")
    ((_, sealed),) = house.masks.kept.values()
    assert MAIL.encode() not in sealed
    assert house.told().split()[-1].rstrip(".").encode() not in sealed


async def test_two_requests_of_one_conversation_get_one_mapping(house):
    """Of two requests at the same time the second waits for the first's mapping."""
    turns = (f"Escribe a {MAIL}.", "Hecho.")
    await asyncio.gather(
        house.say(*turns, "¿A quién?", ident="a"), house.say(*turns, "¿Cuándo?", ident="b"),
        house.say(*turns, f"¿{OTHER}?", ident="c"),
    )  # fmt: skip
    firsts = {house.sent(number)["messages"][0]["content"] for number in range(3)}
    assert len(firsts) == 1
    assert len({name for name, _ in house.masks.kept.values()}) == 1


async def test_a_mapping_that_can_not_be_kept_keeps_the_request_at_home(house):
    """Nothing masked leaves before its mapping is durable."""
    house.masks.broken = True
    await house.say(f"Escribe a {MAIL}.")
    assert not house.big.asked
    assert house.home.asked[0].messages[0].text == f"Escribe a {MAIL}."


async def test_a_mapping_that_does_not_open_keeps_the_request_at_home(house):
    """After tampering, or with another secret, the request stays, and no second mapping is begun."""
    await house.say(f"Escribe a {MAIL}.")
    house.masks.kept = {link: (name, sealed[:-1] + b"x") for link, (name, sealed) in house.masks.kept.items()}
    await house.say(f"Escribe a {MAIL}.", "Hecho.", "Gracias")
    assert len(house.big.asked) == 1
    assert len(house.home.asked) == 1


async def test_a_sensitive_past_leaves_only_if_its_causes_are_masked(house):
    """A past leaves masked if all its causes are within the rule's categories; else a clean turn is no way round."""
    house.taint.tainted = True
    for causes, leaves in (
        (None, False), (frozenset({"financial.iban"}), False), (frozenset({"contact.email", "health.x"}), False),
        (frozenset({"contact.email"}), True),
    ):  # fmt: skip
        house.taint.known = causes
        before = len(house.big.asked)
        await house.say("Resume lo anterior.")
        assert (len(house.big.asked) > before) is leaves, causes


async def test_what_was_masked_is_remembered_as_sensitive_with_its_causes(house):
    """The original and its answer are remembered as sensitive, whatever left."""
    house.echo()
    await house.say(f"Escribe a {MAIL}.")
    await house.say(f"{MAIL} {IBAN}")
    await house.say(f"{MAIL} password: hunter2hunter2")
    assert len(house.taint.remembered) == 3
    assert house.taint.causes_seen == [
        frozenset({"contact.email"}), frozenset({"contact.email", "financial.iban"}), None,
    ]  # fmt: skip
    assert house.taint.answers[0] == f"Escribe a {MAIL}."


async def test_a_shadow_in_the_cloud_gets_pseudonyms(house, inspector):
    """A shadow in the cloud gets the masked document, and nothing where the request was not masked."""
    for mask, asked in (("mask: [contact.email], ", 1), ("", 0)):
        policy = POLICY.replace("mask: [contact.email, person, custom]", mask + "priority: low")
        policy = policy.replace("prefer: [big, spare, home]", "prefer: [home, big], shadow: spare")
        house = Masks(inspector, policy)
        assert await house.say(f"Escribe a {MAIL}.") == "Hello you"
        await house.settled()
        assert len(house.spare.asked) == asked
        assert all(MAIL not in str(thaw(one.document)) for one in house.spare.asked)
        assert house.home.asked[0].messages[0].text == f"Escribe a {MAIL}."


async def test_a_candidate_policy_that_masks_sends_nothing(house, inspector):
    """A candidate policy only looks on: what it would let out is told to observers, and nothing is sent."""
    closed = Masks(inspector, POLICY.replace("mask: [contact.email, person, custom]", "priority: low"))
    closed.policies.candidate = load_policy([("candidate.yaml", POLICY)], closed.catalog)
    await closed.say(f"Escribe a {MAIL}.")
    assert not closed.big.asked
    assert [event.change for event in closed.heard.events if type(event).__name__ == "Compared"] == ["sent_out"]


async def test_answers_in_json_stay_json(house):
    """Values that are put back into an answer in JSON leave it valid JSON."""
    house.echo()
    text = '{"project": "Halcón", "mail": "' + MAIL + '"}'
    answer = await house.say(text, response_format={"type": "json_object"})
    assert json.loads(answer) == json.loads(text)
    assert "Halc" not in str(house.sent())


async def test_explaining_shows_what_would_be_masked_and_keeps_nothing(house):
    """An explanation names the masked categories; it shows no document and stores no mapping."""
    document = freeze_object({"model": "auto", "messages": [{"role": "user", "content": MAIL}]})
    request = openai_requests.parse_chat(document)
    inbound = Inbound(id="e", request=request, caller=Caller(), tags=frozenset({"public"}))
    page = await house.pipeline.explain(inbound)
    assert page.masked == ("contact.email",)
    assert page.candidates[0] == "big"
    assert not house.masks.kept
    assert MAIL.encode() not in page.json()
    assert b"mail.invalid" not in page.json()


async def test_refusals_stay_refusals(house, inspector):
    """A policy that would only let the masked request out refuses the request where something is left."""
    strict = Masks(inspector, POLICY.replace("[home, big]", "[big]").replace("[big, spare, home]", "[big, spare]"))
    with pytest.raises(PolicyRefused):
        await strict.say(f"{MAIL} {IBAN}")
    assert strict.outcomes == ["refused"]


async def test_without_a_store_each_request_has_a_mapping_of_its_own(inspector):
    """Without a store for mappings a request leaves masked all the same."""
    house = Masks(inspector, POLICY, masker=lambda examine: Masker(examine=examine))
    await house.say(f"Escribe a {MAIL}.")
    assert MAIL not in str(house.sent())


async def test_a_crash_between_mapping_and_receipt_loses_nothing(house):
    """A request that has its mapping but finds no ledger is refused, and the next one goes on with that mapping."""
    house.ledger.broken = True
    with pytest.raises(LedgerUnavailable):
        await house.say(f"Escribe a {MAIL}.")
    assert not house.big.asked
    assert not house.home.asked
    assert house.masks.writes == 1
    house.ledger.broken = False
    await house.say(f"Escribe a {MAIL}.")
    assert house.masks.writes == 1


async def test_a_client_that_goes_away_ends_the_masked_answer(house):
    """When the client goes away, the cloud's stream is closed at once, and the request settled as cancelled."""
    gate = asyncio.Event()
    house.big.script = (Text(text="Hola "), gate)
    document = freeze_object({"model": "auto", "messages": [{"role": "user", "content": MAIL}]})
    request = openai_requests.parse_chat(document)
    inbound = Inbound(id="gone", request=request, caller=Caller(), tags=frozenset({"public"}))
    with pytest.raises(asyncio.CancelledError):
        async with house.pipeline.generate(inbound, request) as answer:
            async for _ in answer.deltas:
                raise asyncio.CancelledError
    await house.settlements.close()
    assert house.big.open == 0
    assert house.outcomes == ["cancelled"]


async def test_a_value_in_a_disguise_that_inspection_has_no_name_for_stays(house):
    """A found name that also stands there in base64, which no detector looks for, keeps the request at home."""
    hidden = base64.b64encode("el proyecto Halcón de la casa".encode()).decode()
    await house.say("Háblame de Halcón.")
    assert len(house.big.asked) == 1
    await house.say(f"Háblame de Halcón. {hidden}")
    assert len(house.big.asked) == 1


async def test_raw_completions_are_masked_too(house):
    """A raw completion leaves masked, with a mapping of its own that is not kept."""
    document = freeze_object({"model": "auto", "prompt": [f"Correo {MAIL}", "otro"], "stop": [MAIL]})
    request = openai_requests.parse_completion(document)
    inbound = Inbound(id="raw", request=request, caller=Caller(), tags=frozenset({"public"}))
    async with house.pipeline.generate(inbound, request) as answer:
        assert answer.route.masked == (("contact.email", 2),)
        async for _ in answer.deltas:
            pass
    await house.settlements.close()
    sent = thaw(house.big.asked[0].document)
    assert sent["prompt"][0] == f"Correo {sent['stop'][0]}"
    assert MAIL not in str(sent)
    assert not house.masks.kept


async def test_embeddings_are_not_masked(house):
    """A request for embeddings stays at home, since vectors of pseudonyms would be of no use."""
    document = freeze_object({"model": "auto", "input": MAIL})
    request = openai_requests.parse_embeddings(document)
    inbound = Inbound(id="v", request=request, caller=Caller(), tags=frozenset({"public"}))
    await house.pipeline.embed(inbound, request)
    await house.settlements.close()
    assert not house.big.asked
    assert len(house.home.asked) == 1


async def test_a_restart_finds_the_mapping_again(inspector, tmp_path):
    """With a real ledger a conversation goes on with its pseudonyms after a restart; another secret opens nothing."""
    settings = LedgerSettings(directory=tmp_path)
    turns = (f"Escribe a {MAIL}.", "Hecho.", f"Y a {OTHER}.", "Hecho.", "Gracias")
    said: list[str] = []
    for secret, count in ((b"k" * 32, 1), (b"k" * 32, 3), (b"k" * 32, 5), (b"x" * 32, 5)):
        ledger = Ledger(settings)
        await ledger.open()
        house = Masks(inspector, POLICY, masker=partial(keeping, ledger, secret))
        await house.say(*turns[:count])
        said.append(house.sent()["messages"][0]["content"])
        await ledger.close()
    assert said[0] == said[1] == said[2]
    assert said[3] != said[0]
