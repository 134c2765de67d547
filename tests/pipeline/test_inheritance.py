"""What continues stored turns is at least as sensitive as they were, and never less so for having inherited."""

import msgspec
import pytest

from gateway.core.labels import Label
from gateway.core.request import Inherited
from gateway.privacy import Inspector
from tests.pipeline.house import House, chat

POLICY = """
version: 1
tags: [client]
labels:
  default: {default}
  tags: {{health: sensitive, work: internal, public: public}}
  findings: {{secret: sensitive}}
rules:
  - {{name: no client leaves, when: {{tags: {{in: [client]}}}}, only: [home]}}
otherwise: {{prefer: [big, home]}}
"""
MASKING = """
version: 1
labels: {{default: {default}, tags: {{public: public}}}}
rules:
  - {{name: mail goes out masked, when: {{stream: false}}, mask: [contact.email]}}
otherwise: {{prefer: [big, home]}}
"""
CEILING = Label.PUBLIC  # of the stand-in clouds


async def label_of(house: House, inherited: Inherited | None, *tags: str) -> Label:
    """Ask, and return the label on the receipt; nothing above the ceiling may have reached a cloud."""
    inbound, request = chat("Hello", *tags)
    inbound = msgspec.structs.replace(inbound, inherited=inherited)
    async with house.pipeline.generate(inbound, request) as answer:
        _ = [delta async for delta in answer.deltas]
        assert answer.bequest.label is house.ledger.receipts[-1].label
    await house.settlements.close()
    label = house.ledger.receipts[-1].label
    assert bool(house.big.asked) is (label <= CEILING and "client" not in house.ledger.receipts[-1].tags)
    return label


@pytest.mark.parametrize(
    ("default", "inherited", "tags", "expected"),
    [
        ("public", None, (), Label.PUBLIC),
        ("public", Inherited(), (), Label.PUBLIC),
        ("public", Inherited(label=Label.SENSITIVE), (), Label.SENSITIVE),
        ("public", Inherited(label=Label.SENSITIVE), ("public",), Label.SENSITIVE),
        ("public", Inherited(label=Label.INTERNAL, tags=frozenset({"work"})), (), Label.INTERNAL),
        # Why it was internal is not to be seen any more: it can't be taken for less, so it is taken for more.
        ("public", Inherited(label=Label.INTERNAL), (), Label.SENSITIVE),
        ("internal", Inherited(label=Label.INTERNAL), (), Label.INTERNAL),
        ("internal", Inherited(label=Label.INTERNAL), ("public",), Label.SENSITIVE),
        # A tag may lower the policy's default, but only one that the request has itself.
        ("sensitive", Inherited(label=Label.PUBLIC, tags=frozenset({"public"})), (), Label.SENSITIVE),
        ("sensitive", Inherited(label=Label.PUBLIC, tags=frozenset({"public"})), ("public",), Label.PUBLIC),
    ],
)
async def test_a_label_never_falls_by_continuing(default, inherited, tags, expected) -> None:
    """The label is no lower than what is inherited, nor than it would be without; none of it goes to a cloud."""
    assert await label_of(House(policy=POLICY.format(default=default)), inherited, *tags) is expected


async def test_a_rule_about_a_tag_holds_for_what_continues_it() -> None:
    """A tag that no label knows is inherited too, with the restriction that a rule makes of it."""
    house = House(policy=POLICY.format(default="public"))
    inherited = Inherited(tags=frozenset({"client"}))
    inbound, request = chat("Hello")
    async with house.pipeline.generate(msgspec.structs.replace(inbound, inherited=inherited), request) as answer:
        assert answer.route.target == "home"
        assert answer.bequest.tags == {"client"}
    await house.settlements.close()
    assert house.big.asked == []


@pytest.mark.parametrize(
    ("inherited", "leaves"),
    [
        (None, True),
        (Inherited(), True),
        (Inherited(label=Label.SENSITIVE, causes=frozenset({"contact.email"})), True),
        (Inherited(label=Label.SENSITIVE), False),
        (Inherited(label=Label.INTERNAL), False),
        (Inherited(label=Label.SENSITIVE, causes=frozenset({"contact.email"}), rest=Label.INTERNAL), False),
        (
            Inherited(label=Label.SENSITIVE, causes=frozenset({"contact.email"})).joined(
                Inherited(label=Label.INTERNAL)
            ),
            False,
        ),
    ],
)
async def test_masking_takes_nothing_else_away_that_is_inherited(inherited, leaves) -> None:
    """Where an earlier turn was internal, masking what is found makes no public request of it."""
    house = House(Inspector(hyperscan=False), MASKING.format(default="public"))
    bequest = await continued(house, inherited)
    assert bool(house.big.asked) is leaves
    assert bequest.label is Label.SENSITIVE
    assert bequest.least is (Label.PUBLIC if inherited is None else inherited.least)


@pytest.mark.parametrize(("tags", "leaves"), [((), False), (("public",), True)])
async def test_an_inherited_tag_lowers_no_masked_request(tags, leaves) -> None:
    """A tag may lower the policy's default, but only one that the request has itself, masked or not."""
    house = House(Inspector(hyperscan=False), MASKING.format(default="internal"))
    await continued(house, Inherited(tags=frozenset({"public"})), *tags)
    assert bool(house.big.asked) is leaves


async def continued(house: House, inherited: Inherited | None, *tags: str) -> Inherited:
    """Ask for something with an address in it, and return what the answer hands down."""
    inbound, request = chat("Write to jane.doe@clinic-north.com.", *tags)
    inbound = msgspec.structs.replace(inbound, inherited=inherited)
    async with house.pipeline.generate(inbound, request) as answer:
        _ = [delta async for delta in answer.deltas]
    await house.settlements.close()
    return answer.bequest


async def test_an_explanation_shows_what_is_inherited() -> None:
    """Whoever asks why sees that the request continues something stored."""
    house = House(policy=POLICY.format(default="public"))
    inbound, _ = chat("Hello")
    inherited = Inherited(label=Label.SENSITIVE)
    explanation = await house.pipeline.explain(msgspec.structs.replace(inbound, inherited=inherited))
    assert explanation.label == "sensitive"
    assert [line.kind for line in explanation.traces] == ["stored"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (frozenset({"id"}), frozenset({"contact"}), frozenset({"id", "contact"})),
        (frozenset({"id"}), None, None),
        (None, None, None),
    ],
)
def test_causes_are_known_only_where_all_are(one, other, expected) -> None:
    """Turns together hand down the highest label, all tags, and causes only where each sensitive one has some."""
    first = Inherited(label=Label.SENSITIVE, causes=one, tags=frozenset({"a"}))
    joined = first.joined(Inherited(label=Label.SENSITIVE, causes=other, tags=frozenset({"b"})))
    assert joined == Inherited(label=Label.SENSITIVE, causes=expected, tags=frozenset({"a", "b"}))
    assert first.joined(Inherited()).causes == one


HEADERS = """
version: 1
labels: {default: public}
rules:
  - {name: staff, when: {header: {name: x-dept, is: hr}}, only: [home]}
  - {name: press, when: {header: {name: x-dept, is: press}}, prefer: [big, home]}
otherwise: {prefer: [big, home]}
"""


@pytest.mark.parametrize(
    ("own", "heads", "leaves"),
    [
        ((), (), True),
        ((), ((("x-dept", "hr"),),), False),
        ((), ((("x-dept", "press"),),), True),
        ((("x-dept", "hr"),), ((("x-dept", "press"),),), False),
        ((), ((("x-dept", "press"),), (("x-dept", "hr"),)), False),
        ((), ((("x-dept", "hr"),), (("x-dept", "press"),)), False),
        ((("x-dept", "press"),), ((("x-dept", "hr"),),), False),
    ],
)
async def test_a_rule_about_a_header_holds_for_items_that_came_with_it(own, heads, leaves) -> None:
    """Items that were added by hand under a header that the policy looks at keep it for what continues them."""
    house = House(policy=HEADERS)
    inbound, request = chat("Hello")
    inbound = msgspec.structs.replace(inbound, headers=own, inherited=Inherited(heads=heads))
    async with house.pipeline.generate(inbound, request) as answer:
        _ = [delta async for delta in answer.deltas]
    await house.settlements.close()
    assert bool(house.big.asked) is leaves


def test_headers_are_handed_on_once() -> None:
    """What two turns hand down together has the headers of both, each once."""
    one, other = Inherited(heads=((("a", "1"),),)), Inherited(heads=((("a", "1"),), (("a", "2"),)))
    assert one.joined(other).heads == ((("a", "1"),), (("a", "2"),))
