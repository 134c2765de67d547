"""The first view: what it says, that it says nothing else, and that it stands when other things don't."""

import html.parser
import re
from collections.abc import Mapping

import msgspec
import pytest

from gateway.console.door import Visitor
from gateway.console.live import LiveRequests
from gateway.console.pages import Frame, render
from gateway.console.views.overview import Overview
from gateway.console.views.view import Ask
from gateway.console.words import Words
from gateway.core.errors import LedgerUnavailable
from gateway.core.events import ViolationStopped
from gateway.core.labels import Label, Zone
from gateway.core.record import Outcome, Savings
from gateway.core.request import Caller
from gateway.core.target import TargetState
from tests.observe.conftest import (
    CATALOG,
    NOON,
    READINGS,
    budgets,
    decided,
    make_receipt,
    make_settlement,
    settled,
    states,
)

CANARY = "CANARY<script>alert(1)</script>"
VISITOR = Visitor(caller=Caller(admin=True), may_look=True)
SUMS = Savings(
    requests=1234,
    local=1000,
    cloud=200,
    refused=34,
    unpriced=3,
    avoided_micros=42_500_000,
    cloud_micros=7_250_000,
    electricity_micros=3_100_000,
    hardware_micros=12_000_000,
)


class Page:
    """The view over the small house, and the requests that it hears of."""

    def __init__(self, **changes: object) -> None:
        settings: dict[str, object] = {
            "catalog": CATALOG,
            "live": LiveRequests(),
            "states": states,
            "budgets": budgets,
            "readings": lambda: msgspec.structs.replace(
                READINGS, energy=msgspec.structs.replace(READINGS.energy, watts={"gpu0": 212.5})
            ),
            "savings": lambda since, until: SUMS,
            "reference_model": "gpt-4.1-mini",
            "wall": lambda: NOON + 5,
            "monotonic": lambda: 10.0,
        }
        settings |= changes
        self.live: LiveRequests = settings["live"]  # type: ignore[assignment]
        self.view = Overview(**settings)  # type: ignore[arg-type]

    async def html(self, language: str = "en") -> str:
        """Return the page."""
        words = Words(language, currency="EUR", rate=0.5)  # type: ignore[arg-type]
        shown = await self.view.show(Ask(visitor=VISITOR, words=words))
        return render(shown, Frame(address="/", here="/"), words, VISITOR)


def some_traffic(**changes: object) -> Page:
    """A page after some requests: answered at home, answered by the cloud, running, refused."""
    page = Page(**changes)
    hear = page.live.on
    hear(decided())
    hear(settled())
    out = make_receipt("r2", label=Label.PUBLIC, label_source="tag", rule="long prompts go out", permitted=("big",))
    hear(decided(out, first_zone=Zone.CLOUD, reason="rule"))
    hear(settled(out, make_settlement("r2", target="big", zone=Zone.CLOUD, cost_micros=1_800_000, avoided_micros=None)))
    kept = make_receipt("r3", label=Label.SENSITIVE, label_source="detector", permitted=("home",))
    hear(decided(kept))
    refused = make_receipt("r4", label=Label.SENSITIVE, permitted=(), refusal="policy_refused", rule="-")
    hear(decided(refused, first_zone=None, reason="refused"))
    nowhere = make_settlement("r4", outcome=Outcome.REFUSED, target=None, zone=None, avoided_micros=None)
    hear(settled(refused, nowhere))
    return page


def words_of(text: str) -> str:
    """Return what a reader sees."""
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


async def test_it_says_where_each_request_went_and_why() -> None:
    """Running, answered, refused; label and rule; money in the configured currency."""
    text = words_of(await some_traffic().html())
    assert "nowhere" in text
    assert "refused policy_refused" in text
    assert "running" in text
    assert "long prompts go out" in text
    assert "0.9000 EUR paid" in text
    assert "sensitive by detector" in text


async def test_it_says_what_was_saved() -> None:
    """42.5 avoided − 3.1 electricity − 12 hardware = 27.4 US dollars, 13.70 in the configured currency."""
    text = words_of(await some_traffic().html())
    assert "Saved 13.70 EUR" in text
    assert "Paid to clouds 3.62 EUR" in text or "Paid to clouds 3.63 EUR" in text
    assert "3 request(s) without a known price" in text
    assert "Ahorrado 13,70 EUR" in words_of(await some_traffic().html("es"))


async def test_what_was_not_measured_is_unknown() -> None:
    """Where nothing measures, electricity is not said to be free."""
    silent = msgspec.structs.replace(SUMS, electricity_micros=0)
    page = Page(savings=lambda since, until: silent, readings=lambda: msgspec.structs.replace(READINGS, energy=ENERGY))
    assert "Electricity unknown" in words_of(await page.html())


ENERGY = msgspec.structs.replace(READINGS.energy, joules={}, watts={})


async def test_it_says_how_the_house_is_doing() -> None:
    """The page shows targets, slots, the circuit breaker, GPU, power and budgets."""
    text = words_of(await some_traffic().html())
    assert "left alone after faults" in text
    assert "3 of 8" in text
    assert "87%" in text
    assert "11.0 of 24 GiB" in text
    assert "Power now 212 W" in text
    assert "80%" in text


async def test_trouble_stands_at_the_top() -> None:
    """A violation, every fault of the gateway in its own words, a target that is down; else that all is well."""
    page = some_traffic(
        problems=lambda: ("The disk is <full>.", "Rules stay."), states=lambda: {"home": TargetState(healthy=False)}
    )
    page.live.on(ViolationStopped(request_id="x", target="big"))
    text = words_of(await page.html())
    assert text.index("1 request(s) above") < text.index("Money")
    assert "The disk is &lt;full&gt;." in text
    assert "Not answering: home, big" in text
    calm = some_traffic(states=lambda: {"home": TargetState(), "big": TargetState()})
    assert "All is well" in await calm.html()


async def test_a_model_that_failed_says_why_and_when_it_is_tried_again() -> None:
    """The sentence stands at the top, where there is room for it; its row only says that it failed."""
    state = TargetState(healthy=False, problem="Its worker died <again>.", retry_in=60.0)
    html = await some_traffic(states=lambda: {"home": state}).html()
    assert "home failed: Its worker died &lt;again&gt;. Retried at " in html
    assert html.index("Retried at") < html.index("Money")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (TargetState(), "up"),
        (TargetState(loaded=True), "up"),
        (TargetState(loaded=False), "not loaded"),
        (TargetState(loaded=False, loading=0.42), "loading, 42%"),
        (TargetState(loaded=False, healthy=False), "down"),
    ],
)
async def test_a_model_that_sleeps_is_told_from_one_that_runs(state: TargetState, said: str) -> None:
    """People see what takes memory now."""
    html = await some_traffic(states=lambda: {"home": state}).html()
    row = re.search(r"<tr>\s*<td[^>]*><strong>home</strong>.*?</tr>", html, re.DOTALL)
    assert row
    assert said in [part.strip() for part in re.split(r"<[^>]+>", row[0])]


async def test_the_page_stands_while_the_ledger_does_not() -> None:
    """The page is shown although the ledger can't be read: it is needed most just then."""

    def broken(since: float, until: float) -> Savings:
        raise LedgerUnavailable("disk full")

    text = words_of(await some_traffic(savings=broken, problems=lambda: ("The disk is <full>.",)).html())
    assert "The disk is &lt;full&gt;." in text
    assert "Targets" in text


async def test_nothing_that_a_client_sent_is_shown_raw() -> None:
    """Prompts, tags, users and facts are nowhere on the page; names are escaped."""
    page = some_traffic()
    odd = make_receipt(
        "odd",
        key="<b>key</b>",
        user=CANARY,
        tags=(CANARY,),
        facts=CANARY.encode(),
        rule="<i>rule</i>",
        doubts=(CANARY,),
    )
    page.live.on(decided(odd))
    page.live.on(settled(odd, make_settlement("odd", error="<u>error</u>", outcome=Outcome.ERROR)))
    text = await page.html()
    assert "CANARY" not in text
    for tag in ("<b>", "<i>", "<u>"):
        assert tag not in text


def test_memory_is_bounded_and_running_requests_stay() -> None:
    """Thousands of requests later, the page has its last ones, and the one that still runs."""
    page = some_traffic()
    for number in range(3000):
        receipt = make_receipt(f"n{number}")
        page.live.on(decided(receipt))
        page.live.on(settled(receipt, make_settlement(f"n{number}")))
    data = page.view.data()
    assert len(data.requests) == 60
    assert any(line.outcome is None for line in data.requests)
    for number in range(3000):
        page.live.on(decided(make_receipt(f"forever{number}")))
    assert len(page.view.data().requests) <= 601


class Outline(html.parser.HTMLParser):
    """Collects what accessibility rests on."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, Mapping[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "link", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"


async def test_the_page_is_well_formed_and_accessible() -> None:
    """Language, title, one h1, landmarks, table heads with a scope, scrolling regions that a keyboard reaches."""
    outline = Outline()
    outline.feed(await some_traffic().html("es"))
    assert not outline.open
    names = [tag for tag, _ in outline.tags]
    assert ("html", {"lang": "es"}) in outline.tags
    assert names.count("title") == names.count("h1") == names.count("main") == names.count("nav") == 1
    assert all(attributes.get("scope") == "col" for tag, attributes in outline.tags if tag == "th")
    identifiers = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    for tag, attributes in outline.tags:
        if tag == "section":
            assert "aria-label" in attributes or attributes.get("aria-labelledby") in identifiers
        if attributes.get("role") == "region":
            assert attributes["tabindex"] == "0"
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
