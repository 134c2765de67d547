"""The life of a request: what is sent where, and exactly one settlement however it ends."""

import asyncio

import msgspec
import pytest

from gateway.core.delta import Finish, FinishReason, Text
from gateway.core.document import encode
from gateway.core.errors import (
    AduanaError,
    LedgerUnavailable,
    NotFound,
    TargetBusy,
    TargetProtocolError,
    TargetRejected,
    TargetUnavailable,
    Unavailable,
)
from gateway.core.events import Compared, Decided, FellBack, Settled, Shadowed
from gateway.core.labels import Label
from gateway.core.secret import Credential, CredentialForm, Secret
from gateway.pipeline.settlement import ClientGone
from gateway.policy import Clearance, load_policy
from tests.pipeline.house import ANSWER, House, chat


@pytest.fixture
def house():
    """Return a house in which all targets answer."""
    return House()


async def test_an_ordinary_request_is_answered_at_home(house):
    """A request has a receipt, an answer, and one settlement with the usage that the target reported."""
    assert await house.ask() == "Hello you"
    assert house.outcomes == ["ok"]
    settlement = house.ledger.settlements[0]
    assert (settlement.target, settlement.usage.output, settlement.avoided_micros) == ("home", 2, 10)
    assert settlement.first_token_seconds is not None
    assert [type(event) for event in house.heard.events if isinstance(event, Settled)] == [Settled]
    assert not house.big.asked


async def test_a_cloud_target_gets_a_clearance_with_the_inspected_document(house):
    """The cloud is asked with a clearance, whose document is the client's, with the target's own model name."""
    await house.ask("Hello", "public")
    (clearance,) = house.big.asked
    assert type(clearance) is Clearance
    assert clearance.label is Label.PUBLIC
    assert b'"content":"Hello"' in encode(clearance.document)
    assert b'"model":"big-1"' in encode(clearance.document)


@pytest.mark.parametrize(("text", "tags"), [("Hello", ("public", "health")), ("a SECRET", ("public",))])
async def test_sensitive_requests_never_reach_a_cloud_target(house, text, tags):
    """A tag or a finding keeps it local, whatever the rule prefers; with home down it is an error."""
    assert await house.ask(text, *tags) == "Hello you"
    house.home.script = (TargetUnavailable("down"),)
    with pytest.raises(Unavailable) as caught:
        await house.ask(text, *tags)
    assert (caught.value.status, caught.value.retry_after) == (503, 5.0)
    assert not house.big.asked
    assert not house.spare.asked
    assert house.outcomes == ["ok", "error"]


async def test_a_tainted_conversation_stays_local(house):
    """An earlier sensitive turn counts, also when this turn looks public."""
    house.taint.tainted = True
    await house.ask("Hello", "public")
    assert not house.big.asked
    assert [why.tainted for why in house.taint.remembered] == [True]
    assert house.taint.answers == ["Hello you"]


async def test_the_next_target_is_tried_before_the_first_byte(house):
    """A target that fails before it answers is replaced by the next permitted one, with a reservation of its own."""
    house.big.script = (TargetUnavailable("down"),)
    assert await house.ask("Hello", "public") == "Hello you"
    assert house.spare.asked
    assert [r.target for r in house.ledger.reservations] == ["spare"]
    assert house.ledger.settlements[0].attempts == (("big", "target_unavailable"),)
    assert [e.target for e in house.heard.events if isinstance(e, FellBack)] == ["spare"]


async def test_after_the_first_byte_nothing_is_tried_again(house):
    """A cut answer is an error; a second answer behind it would be a lie."""
    house.big.script = (Text(text="Hel"), TargetProtocolError("cut"))
    with pytest.raises(TargetProtocolError):
        await house.ask("Hello", "public")
    assert not house.spare.asked
    assert house.outcomes == ["error"]
    assert house.ledger.settlements[0].usage.estimated


async def test_what_a_provider_rejects_is_told_to_the_client(house):
    """A 4xx is the client's to mend: no other target is asked."""
    house.big.script = (TargetRejected("bad tool schema"),)
    with pytest.raises(TargetRejected):
        await house.ask("Hello", "public")
    assert not house.spare.asked


@pytest.mark.parametrize(
    "script",
    [
        ANSWER[:2],
        ANSWER[:3],
        (ANSWER[0], ANSWER[3]),
        (),
    ],
)
async def test_an_answer_without_its_end_is_an_error(house, script):
    """An answer without finish reason or usage report is an error, never a clean end."""
    house.home.script = script
    house.big.script = script
    with pytest.raises(AduanaError):
        await house.ask()
    assert house.outcomes == ["error"]


async def test_without_a_receipt_nothing_is_sent(house):
    """A ledger that can't write stops everything, local and cloud."""
    house.ledger.broken = True
    with pytest.raises(LedgerUnavailable):
        await house.ask("Hello", "public")
    with pytest.raises(LedgerUnavailable):
        await house.embed("Hello", "public")
    assert not house.big.asked
    assert not house.home.asked
    assert house.outcomes == []


async def test_without_the_memory_of_taint_nothing_is_sent(house):
    """When it can't be known whether the conversation is sensitive, it is not sent."""
    house.taint.broken = True
    with pytest.raises(LedgerUnavailable):
        await house.ask("Hello", "public")
    assert not house.big.asked


async def test_unknown_models_are_refused_before_anything_else(house):
    """The error names what can be asked for."""
    with pytest.raises(NotFound, match="auto"):
        await house.ask(model="gpt-9")
    assert not house.ledger.receipts


async def test_embeddings_take_the_same_road(house):
    """Public embeddings may leave, with a clearance; sensitive ones may not."""
    await house.embed("Hello", "public")
    assert type(house.big.asked[0]) is Clearance
    await house.embed("a SECRET", "public")
    assert len(house.big.asked) == 1
    assert len(house.home.asked) == 1
    assert house.outcomes == ["ok", "ok"]


async def test_a_client_that_goes_away_cancels_the_target(house):
    """When a client goes away during an answer, the target's stream is closed and the settlement says cancelled."""
    never = asyncio.Event()
    house.home.script = (Text(text="Hel"), never, Finish(reason=FinishReason.STOP))
    inbound, request = chat("Hello")
    begun = asyncio.Event()

    async def client() -> None:
        async with house.pipeline.generate(inbound, request) as answer:
            async for _ in answer.deltas:
                begun.set()

    task = asyncio.create_task(client())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await house.settlements.close()
    assert house.home.open == 0
    assert house.outcomes == ["cancelled"]


async def test_a_client_that_goes_away_while_the_receipt_is_written(house):
    """When a client goes away before its receipt is durable, nothing is sent, and the receipt is settled."""
    house.ledger.gate = asyncio.Event()
    inbound, request = chat("Hello")

    async def client() -> None:
        async with house.pipeline.generate(inbound, request):
            pass

    task = asyncio.create_task(client())
    await house.ledger.waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    house.ledger.gate.set()
    await house.settlements.close()
    assert len(house.ledger.receipts) == 1
    assert house.outcomes == ["cancelled"]
    assert not house.home.asked


async def test_an_observer_that_fails_does_not_break_requests(house):
    """An observer that fails is reported once and then left out."""

    class Broken:
        def on(self, event: object) -> None:
            raise RuntimeError("no")

    house.fanout.add("broken", Broken())
    assert await house.ask() == "Hello you"
    assert await house.ask() == "Hello you"
    assert house.failed == ["broken"]


async def test_receipts_and_settlements_hold_no_content(house):
    """Neither prompt nor answer stands in any record or event."""
    await house.ask("The prompt word is Zanzibar, a SECRET.")
    assert "Zanzibar" not in repr([house.ledger.receipts, house.ledger.settlements, house.heard.events])
    assert "Hello you" not in repr([house.ledger.settlements, house.heard.events])


async def test_a_candidate_policy_looks_on_and_sends_nothing(house):
    """A candidate policy decides every request too, and only the difference is told."""
    strict = "version: 1\nlabels: {default: internal, tags: {public: internal}}\notherwise: {prefer: [home]}"
    house.policies.candidate = load_policy([("strict.yaml", strict)], house.catalog)
    assert await house.ask("Hello", "public") == "Hello you"
    assert house.big.asked
    assert not house.home.asked
    (compared,) = [event for event in house.heard.events if isinstance(event, Compared)]
    assert compared.change == "kept_home"


SHADOW = """
version: 1
labels: {default: internal, tags: {public: public, health: sensitive}}
rules:
  - {name: compare, when: {stream: {is: false}}, shadow: big}
otherwise: {prefer: [home]}
"""


async def test_a_shadow_is_asked_too_and_only_compared(house):
    """The client hears the first target; the shadow has a receipt, a clearance and a settlement of its own."""
    house.policies.current = load_policy([("shadow.yaml", SHADOW)], house.catalog)
    house.big.script = (Text(text="Hello there"), *ANSWER[2:])
    assert await house.ask("Hello", "public") == "Hello you"
    await house.settled()
    assert type(house.big.asked[0]) is Clearance
    assert [(r.request_id, r.permitted) for r in house.ledger.receipts] == [
        ("req_1", ("home",)),
        ("req_1-shadow", ("big",)),
    ]
    assert sorted(s.request_id for s in house.ledger.settlements) == ["req_1", "req_1-shadow"]
    (event,) = [event for event in house.heard.events if isinstance(event, Shadowed)]
    assert (event.target, event.shadow, round(event.similarity, 2)) == ("home", "big", 0.33)


async def test_a_shadow_above_its_ceiling_is_not_asked(house):
    """A request whose label is above the shadow's ceiling is not sent there for comparison either."""
    house.policies.current = load_policy([("shadow.yaml", SHADOW)], house.catalog)
    await house.ask("Hello", "health")
    await house.settled()
    assert not house.big.asked
    assert house.outcomes == ["ok"]


@pytest.mark.parametrize(("prefer", "has_it"), [("big", True), ("home", False)])
async def test_a_shadow_has_no_key_of_the_client(house, prefer, has_it):
    """A cloud that answers gets the client's own key, where it wants one; a cloud that is only compared does not."""
    wants = msgspec.structs.replace(house.big.info, client_credential=True)
    catalog = msgspec.structs.replace(house.catalog, targets={**house.catalog.targets, "big": wants})
    text = SHADOW.replace("prefer: [home]", f"prefer: [{prefer}]")
    house.policies.current = load_policy([("shadow.yaml", text)], catalog)
    own = Credential(form=CredentialForm.BEARER, secret=Secret("sk-own"))
    inbound, request = chat("Hello", "public")
    inbound = msgspec.structs.replace(inbound, credentials=(own,))
    async with house.pipeline.generate(inbound, request) as answer:
        async for _ in answer.deltas:
            pass
    await house.settled()
    (clearance,) = house.big.asked
    assert (clearance.credential is own) is has_it


async def test_a_shadow_that_fails_bothers_nobody(house):
    """The answer stands when its shadow fails, and the shadow is settled as an error."""
    house.policies.current = load_policy([("shadow.yaml", SHADOW)], house.catalog)
    house.big.script = (TargetUnavailable("down"),)
    assert await house.ask("Hello", "public") == "Hello you"
    await house.settled()
    assert sorted(house.outcomes) == ["error", "ok"]


async def test_an_answer_that_the_client_cut_off_is_remembered_too(house):
    """The part of a sensitive answer that a client got before it went away is known again in another conversation."""
    house.taint.tainted = True
    with pytest.raises(ClientGone):
        async with house.pipeline.generate(*chat("Hello")) as answer:
            await anext(answer.deltas)
            raise ClientGone
    assert house.taint.answers == ["Hello"]


async def test_a_memory_that_fails_behind_an_answer_hides_nothing(house):
    """A request whose client went away is settled as cancelled, also when the memory of taint fails after it."""
    house.taint.tainted = True
    house.taint.broken_end = True
    with pytest.raises(ClientGone):
        async with house.pipeline.generate(*chat("Hello")) as answer:
            await anext(answer.deltas)
            raise ClientGone


ALL_SHADOWED = """
version: 1
labels: {default: public, tags: {health: sensitive}}
rules:
  - {name: compare, when: {stream: {is: false}}, shadow: spare}
otherwise: {prefer: [home]}
"""


@pytest.mark.parametrize("tags", [(), ("health",)])
@pytest.mark.parametrize("how", ["cancelled", "gone"])
async def test_a_client_that_hangs_up_behind_the_last_frame_has_its_answer(house, tags, how):
    """The outcome is what was delivered, sensitive or not, while its turns are still being remembered; the shadow of a
    delivered answer is followed.
    """
    house.policies.current = load_policy([("shadow.yaml", ALL_SHADOWED)], house.catalog)
    behind, never = asyncio.Event(), asyncio.Event()

    async def stream():
        inbound, request = chat("Hello", *tags)
        async with house.pipeline.generate(inbound, request) as answer:
            async for _ in answer.deltas:
                pass
            answer.handed_over()
            behind.set()
            if how == "gone":
                raise ClientGone("the client closed the connection")
            await never.wait()

    task = asyncio.create_task(stream())
    await behind.wait()
    task.cancel()
    with pytest.raises((asyncio.CancelledError, ClientGone)):
        await task
    await house.settled()
    first = house.ledger.settlements[0]
    assert (first.outcome.value, first.target, first.usage.output) == ("ok", "home", 2)
    assert [event.shadow for event in house.heard.events if isinstance(event, Shadowed)] == ([] if tags else ["spare"])


async def test_a_client_that_hangs_up_before_the_last_frame_is_cancelled(house):
    """Every delta has passed, and the frame that ends the answer was not handed over: nobody knows what arrived."""

    async def stream():
        inbound, request = chat("Hello")
        async with house.pipeline.generate(inbound, request) as answer:
            async for _ in answer.deltas:
                pass
            raise ClientGone("the client closed the connection")

    with pytest.raises(ClientGone):
        await stream()
    await house.settled()
    assert house.outcomes == ["cancelled"]


async def test_a_request_for_which_no_target_has_a_place_is_refused_unasked(house):
    """It is told when to come back, and booked as an error of the full target; nobody was asked."""
    house.home.full = TargetBusy("The queue is full.", retry_after=7.0)
    with pytest.raises(TargetBusy, match="full") as caught:
        await house.ask()
    assert caught.value.retry_after == 7.0
    assert not house.home.asked
    (receipt,), (settlement,) = house.ledger.receipts, house.ledger.settlements
    assert (receipt.request_id, receipt.permitted) == (settlement.request_id, ("home",))
    assert (settlement.outcome.value, settlement.error, settlement.target) == ("error", "target_busy", None)
    assert settlement.attempts == (("home", "target_busy"),)
    assert [type(event) for event in house.heard.events] == [Decided, Settled]


async def test_what_a_refused_request_said_in_private_is_remembered(house):
    """A full queue changes nothing about that: whoever was refused has been heard."""
    house.home.full = TargetBusy("The queue is full.", retry_after=7.0)
    with pytest.raises(TargetBusy):
        await house.ask("a SECRET", "public")
    assert len(house.taint.remembered) == 1
    assert not house.big.asked


async def test_a_full_target_at_home_does_not_refuse_what_a_cloud_may_answer(house):
    """The next target in the list is asked, as after any other failure."""
    house.home.full = TargetBusy("The queue is full.", retry_after=7.0)
    house.home.script = (house.home.full,)
    house.big.script = (TargetUnavailable("down"),)
    assert await house.ask("Hello", "public", model="auto") == "Hello you"
    assert [len(target.asked) for target in (house.big, house.spare)] == [1, 1]


async def test_a_refusal_that_cannot_be_written_is_no_refusal(house):
    """The client hears that the ledger fails, and no observer counts a request that stands nowhere."""
    house.home.full = TargetBusy("The queue is full.", retry_after=7.0)
    house.ledger.broken = True
    with pytest.raises(LedgerUnavailable):
        await house.ask()
    assert not house.heard.events


async def test_a_client_that_goes_away_while_it_is_refused_is_counted(house):
    """Its refusal is on the way to the ledger, so it is counted like any other."""
    house.home.full = TargetBusy("The queue is full.", retry_after=7.0)
    house.ledger.gate = asyncio.Event()
    task = asyncio.create_task(house.ask())
    await house.ledger.waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [type(event) for event in house.heard.events] == [Settled]
