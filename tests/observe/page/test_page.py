"""The status page: what it says, that it says nothing else, and that a browser shows it."""

import html.parser
import re
import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from gateway.core.errors import LedgerUnavailable
from gateway.core.events import ViolationStopped
from gateway.core.labels import Label, Zone
from gateway.core.record import Outcome, Savings
from gateway.core.target import TargetState
from gateway.observe.page.html import SCRIPT
from gateway.observe.page.page import HEADERS, Page
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


def make_page(**changes: object) -> Page:
    """A page over the small house, after some traffic."""
    settings: dict[str, object] = {
        "catalog": CATALOG,
        "version": "1.2.3",
        "states": states,
        "budgets": budgets,
        "readings": lambda: msgspec.structs.replace(
            READINGS, energy=msgspec.structs.replace(READINGS.energy, watts={"gpu0": 212.5})
        ),
        "digest": lambda: "0123456789abcdef",
        "savings": lambda since, until: SUMS,
        "reference_model": "gpt-4.1-mini",
        "currency": "EUR",
        "rate": 0.5,
        "wall": lambda: NOON + 5,
        "monotonic": lambda: 10.0,
    }
    page = Page(**(settings | changes))  # type: ignore[arg-type]
    page.on(decided())
    page.on(settled())
    out = make_receipt("r2", label=Label.PUBLIC, label_source="tag", rule="long prompts go out", permitted=("big",))
    page.on(decided(out, first_zone=Zone.CLOUD, reason="rule"))
    page.on(
        settled(out, make_settlement("r2", target="big", zone=Zone.CLOUD, cost_micros=1_800_000, avoided_micros=None))
    )
    kept = make_receipt("r3", label=Label.SENSITIVE, label_source="detector", permitted=("home",))
    page.on(decided(kept))
    refused = make_receipt("r4", label=Label.SENSITIVE, permitted=(), refusal="policy_refused", rule="-")
    page.on(decided(refused, first_zone=None, reason="refused"))
    nowhere = make_settlement("r4", outcome=Outcome.REFUSED, target=None, zone=None, avoided_micros=None)
    page.on(settled(refused, nowhere))
    return page


def words(text: str) -> str:
    """What a reader sees."""
    body = re.sub(r"<(style|script)>.*?</\1>", "", text, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_it_says_where_each_request_went_and_why() -> None:
    """Running, answered, refused; label and rule; money in the configured currency."""
    text = words(make_page().render())
    assert "nowhere" in text
    assert "refused (policy_refused)" in text
    assert "running" in text
    assert "long prompts go out" in text
    assert "0.9000 EUR paid" in text
    assert "sensitive by detector" in text


def test_it_says_what_was_saved() -> None:
    """42.5 avoided − 3.1 electricity − 12 hardware = 27.4 US dollars, 13.70 in the configured currency."""
    text = words(make_page().render())
    assert "Saved 13.70 EUR" in text
    assert "Paid to clouds 3.62 EUR" in text or "Paid to clouds 3.63 EUR" in text
    assert "3 request(s) without a known price" in text


def test_it_says_how_the_house_is_doing() -> None:
    """The page shows targets, slots, the circuit breaker, GPU, power and budgets."""
    text = words(make_page().render())
    assert "left alone after faults" in text
    assert "3 of 8" in text
    assert "87%" in text
    assert "11.0 of 24 GiB" in text
    assert "Power now 212 W" in text
    assert "80%" in text


def test_trouble_stands_at_the_top() -> None:
    """A violation, every fault of the gateway in its own words, a target that is down; else that all is well."""
    page = make_page(
        problems=lambda: ("The disk is <full>.", "Rules stay."), states=lambda: {"home": TargetState(healthy=False)}
    )
    page.on(ViolationStopped(request_id="x", target="big"))
    text = words(page.render())
    assert text.index("1 request(s) above") < text.index("Money")
    assert "The disk is &lt;full&gt;." in text
    assert "Not answering: home, big" in text
    calm = make_page(states=lambda: {"home": TargetState(), "big": TargetState()})
    assert "All is well" in calm.render()


def test_a_model_that_failed_says_why_and_when_it_is_tried_again() -> None:
    """The sentence stands at the top, where there is room for it; its row only says that it failed."""
    state = TargetState(healthy=False, problem="Its worker died <again>.", retry_in=60.0)
    page = make_page(states=lambda: {"home": state})
    html, text = page.render(), words(page.render())
    assert "home failed: Its worker died &lt;again&gt;. Retried at " in html
    assert text.index("Retried at") < text.index("Money")


def test_the_page_stands_while_the_ledger_does_not() -> None:
    """The page is shown although the ledger can't be read: it is needed most just then."""

    def broken(since: float, until: float) -> Savings:
        raise LedgerUnavailable("disk full")

    text = words(make_page(savings=broken, problems=lambda: ("The disk is <full>.", "Rules stay.")).render())
    assert "The disk is &lt;full&gt;." in text
    assert "Targets" in text


def test_nothing_that_a_client_sent_is_shown_raw() -> None:
    """Prompts, tags, users and facts are nowhere on the page; names are escaped."""
    page = make_page()
    odd = make_receipt(
        "odd",
        key="<b>key</b>",
        user=CANARY,
        tags=(CANARY,),
        facts=CANARY.encode(),
        rule="<i>rule</i>",
        doubts=(CANARY,),
    )
    page.on(decided(odd))
    page.on(settled(odd, make_settlement("odd", error="<u>error</u>", outcome=Outcome.ERROR)))
    text = page.render()
    assert "CANARY" not in text
    for tag in ("<b>", "<i>", "<u>"):
        assert tag not in text


def test_memory_is_bounded_and_running_requests_stay() -> None:
    """Thousands of requests later, the page has its last ones, and the one that still runs."""
    page = make_page()
    for number in range(3000):
        receipt = make_receipt(f"n{number}")
        page.on(decided(receipt))
        page.on(settled(receipt, make_settlement(f"n{number}")))
    view = page.view()
    assert len(view.requests) == 60
    assert any(line.outcome is None for line in view.requests)
    for number in range(3000):
        page.on(decided(make_receipt(f"forever{number}")))
    assert len(page.view().requests) <= 601


def test_the_headers_let_nothing_in_or_out() -> None:
    """The headers forbid loading from elsewhere, and permit only this one script."""
    policy = HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "connect-src 'self'" in policy
    text = make_page().render()
    assert text.count("<script>") == 1
    assert f"<script>{SCRIPT}</script>" in text
    assert not re.search(r"https?://", text)
    assert "src=" not in text


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


def test_the_page_is_well_formed_and_accessible() -> None:
    """Language, title, one h1, landmarks, table heads with a scope, scrolling regions that a keyboard reaches."""
    outline = Outline()
    outline.feed(make_page().render())
    assert not outline.open
    names = [tag for tag, _ in outline.tags]
    assert ("html", {"lang": "en"}) in outline.tags
    assert names.count("title") == names.count("h1") == names.count("main") == 1
    assert all(attributes.get("scope") == "col" for tag, attributes in outline.tags if tag == "th")
    identifiers = {attributes["id"] for _, attributes in outline.tags if "id" in attributes}
    for tag, attributes in outline.tags:
        if tag == "section":
            label = attributes.get("aria-labelledby")
            assert "aria-label" in attributes or label in identifiers
        if attributes.get("role") == "region":
            assert attributes["tabindex"] == "0"


def test_a_browser_shows_it(tmp_path: Path) -> None:
    """Headless Chromium renders it offline, without errors, to a picture that is not empty."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("chromium is not installed (Debian: apt install chromium)")
    page, picture = tmp_path / "page.html", tmp_path / "page.png"
    page.write_text(make_page().render(), encoding="utf-8")
    done = subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--screenshot={picture}",
            "--window-size=1200,1400",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert picture.is_file(), done.stderr[-2000:]
    width, height = struct.unpack(">II", picture.read_bytes()[16:24])
    assert (width, height) == (1200, 1400)
    assert picture.stat().st_size > 30_000, "an almost empty picture"
    assert "Uncaught" not in done.stderr


def test_the_page_says_when_a_key_got_a_new_secret() -> None:
    """The last line says when a key's secret last changed, and nothing where none did since the start."""
    assert "keys renewed" not in make_page().render()
    assert "keys renewed 1970-01-01 00:16:40 UTC" in make_page(keys_renewed=lambda: 1000.0).render()
