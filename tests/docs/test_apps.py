"""The pages in docs/apps/ say what works: their settings are well formed, and what they name is there."""

import json
import re
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from ruamel.yaml import YAML

from gateway.settings import load_settings
from tests.standins.gateway import RunningGateway

REPOSITORY = Path(__file__).resolve().parents[2]
PINS = REPOSITORY / "tests" / "clients" / "pins"
INDEX = REPOSITORY / "docs" / "apps" / "README.md"
PAGES = sorted(page for page in INDEX.parent.glob("*.md") if page != INDEX)
SAID = {page.stem: page.read_text(encoding="utf-8") for page in PAGES}
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
BLOCKS = [(page, *block) for page in (*PAGES, INDEX) for block in BLOCK.findall(page.read_text(encoding="utf-8"))]
CALLS = sorted({call for text in SAID.values() for call in re.findall(r"`(GET|POST) (/[\w/]+)`", text)})
GATEWAY = ("127.0.0.1:8484", "host.docker.internal:8484")


def row(app: str, name: str) -> str:
    """Return a cell of the table at the top of a page."""
    found = re.search(rf"^\| {name} \| (.*) \|$", SAID[app], re.MULTILINE)
    assert found, f"{app}.md has no row '{name}'"
    return found.group(1)


def read(language: str, text: str) -> object:
    """Read a block in its language; only commands are not read."""
    match language:
        case "json":
            return json.loads(text)
        case "toml":
            return tomllib.loads(text)
        case "yaml":
            return YAML(typ="safe", pure=True).load(text)
    assert language == "sh"
    return text


@pytest.mark.parametrize(("page", "language", "text"), BLOCKS, ids=lambda value: getattr(value, "stem", None))
def test_settings_are_well_formed(page, language, text):
    """Each block of settings can be read by whoever copies it."""
    assert read(language, text)


@pytest.mark.parametrize("text", [text for _, language, text in BLOCKS if re.match(r"(keys|server):", text)])
def test_settings_of_the_gateway_load(text, monkeypatch, tmp_path):
    """What belongs into aduana.yaml is a configuration that the gateway takes."""
    for number, name in enumerate(re.findall(r"env:(\w+)", text)):
        monkeypatch.setenv(name, f"sk-a-long-enough-secret-{number}")
    (tmp_path / "aduana.yaml").write_text(text)
    assert load_settings(tmp_path / "aduana.yaml")


@pytest.mark.parametrize("app", SAID)
def test_a_page_sets_the_address_that_its_calls_need(app):
    """The base URL in the table is the one in the settings, and every call begins with its path."""
    base = row(app, "base URL").strip("`")
    path = base.removeprefix("http://127.0.0.1:8484")
    assert path in {"", "/v1"}
    for call in re.findall(r"`\w+ (/[\w/]+)`", row(app, "calls")):
        assert call.startswith(path + "/")
    settings = SAID[app].split("## What to set")[1]
    assert any(host + path in settings for host in GATEWAY)


@pytest.mark.parametrize("app", SAID)
def test_the_list_says_the_same_as_the_page(app):
    """Whoever looks at the list learns the version that its page names."""
    assert f"]({app}.md) | " in INDEX.read_text(encoding="utf-8")
    line = next(line for line in INDEX.read_text(encoding="utf-8").splitlines() if f"]({app}.md)" in line)
    assert line.endswith(f"| {row(app, 'tried')} |")


@pytest.mark.parametrize("app", [app for app in SAID if "a whole task" in row(app, "tried")])
def test_a_version_that_was_tried_is_the_one_that_is_tried_again(app):
    """The version on the page is the one that `make clients` installs."""
    wanted = PINS / app / "package.json"
    pins = wanted.read_text() if wanted.exists() else (PINS / f"{app}.in").read_text()
    version = row(app, "tried").split()[0].rstrip(",")
    assert re.search(rf"[=\"]{re.escape(version)}\b", pins)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory) -> AsyncIterator[RunningGateway]:
    """Start a gateway that has no model: what it serves can be told without one."""
    target = (
        '{kind: openai, zone: local, base_url: "http://127.0.0.1:9/v1", model: none, endpoints: [chat, embeddings]}'
    )
    config = f"targets: {{home: {target}}}\n"
    async with RunningGateway(tmp_path_factory.mktemp("apps"), config) as running:
        yield running


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_every_call_has_a_route(gateway, method, path):
    """An app that follows its page meets an endpoint: a request without a body is answered, or told what it lacks."""
    async with aiohttp.ClientSession() as session, session.request(method, gateway.url + path) as answer:
        assert answer.status == (200 if method == "GET" else 400), await answer.text()
