"""Every view in a real browser: both languages, desktop and phone, light and dark, without a complaint."""

import json
import re
from collections.abc import AsyncIterator
from html import unescape

import aiohttp
import pytest
import pytest_asyncio

from gateway.console.files import GUIDE, TYPES
from gateway.console.pages import MENU
from gateway.server.handlers.table import ROUTES
from gateway.server.handlers.table.console import FILES
from tests.console.conftest import House, house
from tests.standins.browser import PROGRAM, Browser

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed (Debian: apt install chromium)"),
]
WIDTHS = ((1280, 900, False), (390, 844, True))
# What a screen reader and a keyboard need, asked of the page itself.
LOST = """
[...document.querySelectorAll("input:not([type=hidden]), select, textarea")].filter(
  (field) => !field.labels?.length && !field.getAttribute("aria-label")).map((field) => field.outerHTML)
.concat([...document.querySelectorAll("button, a")].filter(
  (one) => !one.textContent.trim() && !one.getAttribute("aria-label")).map((one) => one.outerHTML))
.concat(document.querySelectorAll("h1").length === 1 ? [] : ["not one h1"])
.concat(document.querySelectorAll("[style]:not(#chart *)").length ? ["inline style"] : [])
"""
# The least contrast of any text with what lies behind it, by WCAG's formula.
CONTRAST = """
(() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
  const behind = (one) => { for (let at = one; at; at = at.parentElement) {
    const found = parse(getComputedStyle(at).backgroundColor); if (found.length < 4 || found[3] > 0) return found; }
    return [255, 255, 255]; };
  let least = [99, ""];
  for (const one of document.querySelectorAll("main *, header *, nav *, footer *")) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || one.disabled || !one.checkVisibility()) continue;
    const a = light(parse(getComputedStyle(one).color)), b = light(behind(one));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least[0]) least = [ratio, one.outerHTML.slice(0, 120)];
  }
  return least;
})()
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser(past: House) -> AsyncIterator[Browser]:
    """Start one browser for all pages."""
    async with Browser() as one:
        yield one


@pytest.fixture(autouse=True)
def quiet(browser: Browser) -> None:
    """Forget what the test before has seen."""
    browser.complaints.clear()
    browser.loaded.clear()


def served() -> list[str]:
    """Return the addresses of the views."""
    return [route.path for route in ROUTES if route.path.startswith("/console/") and route.method == "GET"]


def addresses(past: House) -> list[str]:
    """Return an address of each view, one of them for each way in which a request can end."""
    ended = past.ledger(
        "SELECT max(request_id) FROM receipts JOIN settlements USING (seq) GROUP BY outcome, zone, model"
    )
    views = [path for path in served() if "{" not in path and "/static/" not in path]
    return ["/", *views, *(f"/console/requests/{name}" for (name,) in ended)]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(("width", "height", "dark"), WIDTHS, ids=["desktop", "phone"])
async def test_every_view_is_shown(past, browser, language, width, height, dark) -> None:
    """No error, nothing stopped by the page's policy, nothing from elsewhere, nothing wider than the screen."""
    await browser.resize(width, height, dark=dark)
    await browser.speak(language)
    for address in addresses(past):
        await browser.open(past.url + address)
        assert await browser.run("document.documentElement.lang") == language
        assert await browser.run("document.documentElement.scrollWidth <= innerWidth"), address
        assert await browser.run(LOST) == [], address
        ratio, where = await browser.run(CONTRAST)
        assert ratio >= 4.5, (address, where)
    assert browser.complaints == []
    assert [url for url in browser.loaded if not url.startswith((past.url, "data:"))] == []


async def test_the_menu_leads_to_every_view(past, browser) -> None:
    """Each entry is served; the one that is open says so; the first key press leads past the menu."""
    await browser.resize(1280, 900)
    for address, _ in MENU:
        assert address == "/" or address in served()
        await browser.open(past.url + address)
        assert await browser.run("document.querySelector('[aria-current=page]').getAttribute('href')") == address
    await browser.call("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
    assert await browser.run("document.activeElement.className") == "skip"


async def test_the_language_is_kept(past, browser) -> None:
    """Whoever changes the language gets it on the next page too, whatever the browser says."""
    await browser.speak("en")
    await browser.open(past.url + "/console/requests?label=internal")
    await browser.click("a[hreflang=es]")
    assert "label=internal" in await browser.run("location.search")
    await browser.open(past.url + "/")
    assert await browser.run("document.documentElement.lang") == "es"
    await browser.click("a[hreflang=en]")
    await browser.call("Network.clearBrowserCookies")


async def test_requests_are_searched(past, browser) -> None:
    """A filter sends itself; what is found is of that kind; the row leads to the reason."""
    await browser.resize(1280, 900)
    await browser.speak("en")
    await browser.open(past.url + "/console/requests")
    assert await browser.run("document.querySelectorAll('tbody tr').length") == 50
    await browser.click("nav.paging a")
    assert await browser.run("document.querySelectorAll('tbody tr').length") == 20
    await browser.open(past.url + "/console/requests?category=financial.iban")
    assert await browser.run("document.querySelectorAll('tbody tr').length") == 20
    await browser.run("document.querySelector('[name=outcome]').value = 'refused'")
    await browser.click("form.filters button")
    found = await browser.run("[...document.querySelectorAll('tbody .badge.warn')].map((one) => one.textContent)")
    assert found == ["refused"] * 10
    await browser.click("tbody a")
    text = await browser.text()
    assert "It was refused, and nothing was sent." in text
    assert "financial.iban" in text
    assert "big cloud internal the label is above its ceiling" in text
    assert "home local sensitive the model name asked for does not include it" in text
    assert browser.complaints == []


async def test_the_text_of_a_request_is_nowhere(past) -> None:
    """No page has a word of what was asked or answered."""
    async with aiohttp.ClientSession() as http:
        for address in addresses(past):
            async with http.get(past.url + address) as answer:
                page = await answer.text()
            for word in ("2100 0418", "harbour", "tides", "results are here", "says hello"):
                assert word not in page, address


async def test_the_chart_is_drawn_and_can_be_read(past, browser) -> None:
    """The series end with the sums that the cards name; the day of payback follows what is asked."""
    await browser.resize(1280, 900)
    await browser.speak("en")
    await browser.open(past.url + "/console/savings?days=90&hardware=200")
    assert await browser.run("document.querySelectorAll('#chart canvas').length") == 1
    series = json.loads(await browser.run("document.getElementById('chart').dataset.series"))
    text = await browser.text()
    assert f"All in the cloud would have cost {series['cloud'][-1]:,.2f} EUR" in text
    assert len(series["days"]) == 90
    assert "of 200.00 EUR are paid back" in text
    await browser.open(past.url + "/console/savings?hardware=1")
    assert "It is paid back." in await browser.text()
    assert browser.complaints == []


async def test_figures_renew_until_somebody_pauses(past, browser) -> None:
    """The first page renews its figures in place; the button stops that, and says what it will do next."""
    await browser.speak("en")
    await browser.open(past.url + "/")
    await browser.run("document.getElementById('live').dataset.old = 'yes'")
    await browser.until("!document.getElementById('live').dataset.old")
    await browser.run("document.getElementById('pause').click()")
    assert await browser.run("document.getElementById('pause').textContent") == "Go on"
    asked = await browser.run(
        "(() => { const event = new CustomEvent('htmx:beforeRequest', {bubbles: true, cancelable: true});"
        "document.getElementById('live').dispatchEvent(event); return event.defaultPrevented; })()"
    )
    assert asked is True
    assert browser.complaints == []


async def test_old_figures_say_so(past, browser) -> None:
    """While nobody answers, the page says that its figures are old, and forgets that when they are new again."""
    await browser.resize(1280, 900)
    await browser.open(past.url + "/")
    none = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    renew = (
        "htmx.ajax('GET', '/', {source: '#live', target: '#live', select: '#live', swap: 'outerHTML'}).catch(() => 0)"
    )
    await browser.call("Network.emulateNetworkConditions", offline=True, **none)
    await browser.run(renew)  # so that nobody waits for the next time
    await browser.until("document.getElementById('lost').checkVisibility()")
    assert await browser.run("document.getElementById('targets').checkVisibility()")
    await browser.call("Network.emulateNetworkConditions", offline=False, **none)
    await browser.run(renew)
    await browser.until("!document.getElementById('lost').checkVisibility()")


async def test_its_own_files_are_served(past) -> None:
    """Everything that pages load is served with its type, without a key, and nothing else of that folder is."""
    async with aiohttp.ClientSession() as http:
        for name in FILES:
            async with http.get(f"{past.url}/console/static/{name}") as answer:
                assert answer.status == 200
                assert answer.content_type == TYPES[name[name.rindex(".") :]]
        for name in ("nothing.js", "../templates/layout.html", "%2e%2e/console.py"):
            async with http.get(f"{past.url}/console/static/{name}") as answer:
                assert answer.status == 404


async def typed(browser: Browser, selector: str, text: str) -> None:
    """Write into a field as a person would, at once."""
    await browser.run(f"document.querySelector({json.dumps(selector)}).focus()")
    await browser.call("Input.insertText", text=text)


async def test_a_text_is_tried_and_goes_nowhere(past, browser) -> None:
    """The page says where it would go and why, and marks what was found; no server and no ledger sees a word."""
    before = len(past.cloud.bodies), past.ledger("SELECT count(*) FROM receipts")
    await browser.resize(1280, 900)
    await browser.speak("en")
    await browser.open(past.url + "/console/try")
    await typed(browser, "#text", "Dear <b>Ana</b>,\npay to ES91 2100 0418 4502 0005 1332.")
    await browser.click("form.stacked button.primary")
    text = await browser.text()
    assert "It would stay at home, with home." in text
    assert "found financial.iban: sensitive" in text
    assert "the label is above its ceiling" in text
    marks = await browser.run("[...document.querySelectorAll('mark')].map((one) => one.firstChild.textContent)")
    assert marks == ["ES91 2100 0418 4502 0005 1332"]
    assert await browser.run("document.querySelector('.marked').innerText.includes('<b>Ana</b>')")
    assert await browser.run("document.querySelector('#text').value.startsWith('Dear <b>Ana</b>,\\npay')")
    await browser.speak("es")
    await browser.open(past.url + "/console/try")
    await typed(browser, "#text", "Tides.")
    await typed(browser, "[name=tags]", "children")
    await browser.click("form.stacked button.primary")
    assert "Se rechazaría: Not here." in await browser.text()
    assert (len(past.cloud.bodies), past.ledger("SELECT count(*) FROM receipts")) == before
    assert browser.complaints == []


async def test_a_model_is_talked_to(past, browser) -> None:
    """An answer streams into the page with its way, by an ordinary request; a refusal says why; a new talk is empty."""
    await browser.resize(390, 844)
    await browser.speak("en")
    await browser.open(past.url + "/console/chat")
    await typed(browser, "#words", "Hello there")
    await browser.run("document.getElementById('send').click()")
    await browser.until("document.querySelector('.answer .said')?.textContent.trim() === 'The house says hello.'")
    await browser.until("!document.getElementById('send').disabled")
    said = await browser.run("document.querySelector('.answer').innerText")
    assert "home local internal Rule: otherwise Why" in " ".join(said.split())
    way = await browser.run("document.querySelector('.answer a').getAttribute('href')")
    assert past.ledger("SELECT key FROM receipts WHERE request_id = ?", way.rpartition("/")[2]) == [("anonymous",)]
    await typed(browser, "#tags", "children")
    await typed(browser, "#words", "And now?")
    await browser.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13)
    await browser.until("document.querySelector('.answer:last-child .bad')")
    assert "It failed: Not here." in await browser.text()
    assert await browser.run("document.documentElement.scrollWidth <= innerWidth")
    assert await browser.run("document.querySelectorAll('.bubble').length") == 4
    await browser.run("document.getElementById('new').click()")
    assert await browser.run("document.querySelectorAll('.bubble').length") == 0
    kept = await browser.run("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert "Hello" not in kept
    assert "now" not in kept
    refused = [one for one in browser.complaints if "/console/chat" in one]
    assert browser.complaints == refused  # the browser's own note about the status


@pytest.mark.model
async def test_a_model_is_loaded_and_unloaded(past, browser) -> None:
    """The buttons do it, the table says so without being asked, and the bar fills."""
    await browser.resize(1280, 900)
    await browser.speak("en")
    await browser.open(past.url + "/console/models")
    assert "unloaded" in await browser.text()
    await browser.until("[...document.querySelectorAll('td button')].map((one) => one.click()).length")
    await browser.until("document.querySelector('td .badge')?.textContent === 'loaded'")
    await browser.until("(document.querySelector('.card dd')?.textContent ?? '0 MiB') !== '0 MiB'")
    await browser.until("[...document.querySelectorAll('td button')].map((one) => one.click()).length")
    await browser.until("document.querySelector('td .badge')?.textContent === 'unloaded'")
    assert browser.complaints == []


async def tried(browser: Browser, change: str) -> str:
    """Change the policy's text in the page by a script, try it, and return what the page says."""
    await browser.run(f"(() => {{ const field = document.querySelector('#text0'); field.value = {change}; }})()")
    await browser.click("form.wide button.primary")
    return await browser.text()


async def test_a_policy_is_tried_on_the_past(past, browser) -> None:
    """Proofs are shown; a change says what it would have done, a broken one why it does not load; none counts."""
    await browser.resize(1280, 900)
    await browser.speak("en")
    await browser.open(past.url + "/console/policy")
    text = await browser.text()
    assert "proved never: when {findings: {in: [financial]}}: zone cloud" in text
    digest = text.partition("In force: ")[2].partition(",")[0]
    text = await tried(browser, "field.value.replace('over: 300', 'over: 1')")
    assert "request(s) that stayed at home would have gone to the cloud; 0 that went there would have stayed." in text
    text = await tried(browser, "field.value.replace(/over: \\d+/, 'over: 90000')")
    assert "answered by the cloud 10 0" in text
    text = await tried(browser, "field.value.replace('claims:', 'claims:\\n  - always: {refused: true}')")
    assert "With this policy the gateway would not start: claims are not proved." in text
    text = await tried(browser, "'version: 1\\nrules: ['")
    assert "This policy does not load" in text
    assert "policy.yaml:" in text
    text = await tried(browser, "'include: /etc/hostname'")
    assert "only files of the policy in force can be included here" in text
    await browser.open(past.url + "/console/policy")
    assert f"In force: {digest}" in await browser.text()
    assert browser.complaints == []


async def test_an_app_signs_in_and_an_administrator(tmp_path, browser) -> None:
    """With keys, the own machine may look; a key may talk as itself; only an administrator's may load and try."""
    async with house(tmp_path, keys=True) as one:
        await browser.speak("en")
        await browser.open(one.url + "/console/chat")
        assert await browser.run("document.getElementById('send').disabled")
        for secret, allowed in (("app-secret-1", False), ("owner-secret-1", True)):
            await browser.open(one.url + "/console/login")
            await typed(browser, "#key", secret)
            await browser.click("form.stacked button.primary")
            await browser.open(one.url + "/console/chat")
            await typed(browser, "#words", "Hello there")
            await browser.run("document.getElementById('send').click()")
            await browser.until("document.querySelector('.answer a')")
            await browser.open(one.url + "/console/models")
            assert await browser.run("!document.querySelector('td button').disabled") is allowed
            await browser.open(one.url + "/console/try")
            assert await browser.run("!document.querySelector('form.stacked button').disabled") is allowed
        asked = one.ledger("SELECT key, tags FROM receipts ORDER BY seq")
        assert asked == [("app", '["office"]'), ("owner", "[]")]
        await browser.open(one.url + "/console/keys")
        text = await browser.text()
        assert "owner Ana every model admin" in text
        assert "key app requests a minute 1 30" in text
        assert "user Ana" not in text, "nobody spent anything"
        assert "secret-1" not in await browser.run("document.documentElement.outerHTML")
        await browser.click(".who button")
        assert "Sign out" not in await browser.text()
        assert await browser.run("document.cookie") == ""
    assert [one for one in browser.complaints if "401" not in one] == []


async def test_the_guide_is_read_in_both_languages(past, browser) -> None:
    """Each page of the guide is there, in the reader's language; its links lead on, and no file is needed."""
    await browser.resize(390, 844)
    async with aiohttp.ClientSession() as http:
        for page in sorted(GUIDE.glob("*.md")):
            name, _, language = page.name.removesuffix(".md").partition(".")
            headers = {"Accept-Language": language or "en"}
            async with http.get(f"{past.url}/console/guide/{name}", headers=headers) as answer:
                assert answer.status == 200
                shown = await answer.text()
            assert page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")[:20] in unescape(shown)
            for link in re.findall(r'href="(/console/guide[^"#]*)', shown):
                async with http.get(past.url + link) as answer:
                    assert answer.status == 200, (page.name, link)
    await browser.speak("es")
    for name in sorted({page.name.partition(".")[0] for page in GUIDE.glob("*.md")}):
        await browser.open(f"{past.url}/console/guide/{name}")
        assert await browser.run("document.documentElement.scrollWidth <= innerWidth"), name
        ratio, where = await browser.run(CONTRAST)
        assert ratio >= 4.5, (name, where)
    assert browser.complaints == []
