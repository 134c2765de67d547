"""Every address of the table of routes: authentication, inspection, decision, receipt, settlement, errors, limits.

The cases are made from the table, so an address that is added is tried too.
"""

import asyncio
import contextlib
import json
import re
import sqlite3
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from gateway.core.document import thaw
from gateway.core.request import Dialect
from gateway.server.handlers.table import ROUTES, TEXT, Access, HttpRoute, Work
from tests.e2e.conftest import House
from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway, starter_models

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="session")]

CONFIG = """
models_dir: {models}
policy: {policy}
responses: {{store: on}}
batches: {{store: on}}
server: {{max_body_bytes: 65536}}
keys:
  app: {{secret: "env:APP"}}
  owner: {{secret: "env:OWNER", admin: true}}
targets:
  home: {{kind: embedded, model: smollm2, context: 2048, slots: 4, threads: 1}}
  big: {{kind: openai, zone: cloud, base_url: "{cloud}", api_key: "env:STANDIN_KEY", model: big-1, ceiling: public}}
models: {{auto: {{}}}}
"""
POLICY = """
version: 1
labels: {default: public, findings: {secret: sensitive, id: sensitive, financial: sensitive, contact: sensitive}}
rules: [{name: short, when: {not: {endpoint: moderations}}, set: {max_output_tokens: 4}}]
otherwise: {prefer: [big, home]}
"""
KEYS = {"APP": "app-secret", "OWNER": "owner-secret"}
IBAN = "ES91 2100 0418 4502 0005 1332"
ADDRESSES = [(route, path) for route in ROUTES for path in route.paths]


def addresses(keep: Any) -> Any:
    """Return the cases of a test: the addresses whose row is kept."""
    kept = [address for address in ADDRESSES if keep(address[0])]
    assert kept
    return pytest.mark.parametrize(("route", "path"), kept, ids=[f"{route.method} {path}" for route, path in kept])


class Guarded(House):
    """A house with a client that keeps its connection: one that hangs up takes nothing more, and gets no replay."""

    def __init__(self, gateway: RunningGateway, cloud: StandInCloud, client: httpx2.AsyncClient) -> None:
        super().__init__(gateway, cloud)
        self.client = client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def guarded(tmp_path_factory) -> AsyncIterator[Guarded]:
    """Start a gateway with keys and a store, whose policy lets everything leave that inspection finds clean."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "policy.yaml").write_text(POLICY)
    async with StandInCloud() as cloud:
        models = starter_models(folder / "models")
        config = CONFIG.format(models=models, policy=folder / "policy.yaml", cloud=cloud.base_url)
        async with RunningGateway(folder, config, env={"STANDIN_KEY": "sk-standin", **KEYS}) as gateway:
            await gateway.until_ready()
            async with httpx2.AsyncClient(base_url=gateway.url, timeout=120) as client:
                yield Guarded(gateway, cloud, client)


async def ask(house: Guarded, route: HttpRoute, path: str, *, key: str | None = "", **fields: Any) -> httpx2.Response:
    """Ask at an address, with the least key that may use it unless another one is given (None: without)."""
    if key == "":
        key = KEYS["OWNER"] if route.access in (Access.ADMIN, Access.OWN) else KEYS["APP"]
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    headers |= {"anthropic-version": "2023-06-01"} if route.dialect is Dialect.ANTHROPIC else {}
    plain = re.sub(r"\{\w+(?::.*?)?\}(?=/|$)", "made-up", path)
    headers |= fields.pop("headers", {})
    return await house.client.request(fields.pop("method", route.method), plain, headers=headers, **fields)


def body_of(route: HttpRoute, text: str) -> dict[str, Any]:
    """Return the row's example with this text in its place."""
    return json.loads(json.dumps(thaw(route.example)).replace(f'"{TEXT}"', json.dumps(text)))


def is_error(route: HttpRoute, answer: httpx2.Response) -> bool:
    """Say whether an answer is an error in the shape of the row's dialect."""
    found = answer.json()
    decided = {"aduana"} if "x-aduana-decision" in answer.headers else set()
    match route.dialect:
        case Dialect.OLLAMA:
            return isinstance(found["error"], str)
        case Dialect.A1111:
            return found.keys() - decided == {"error", "detail", "errors", "code"}
        case Dialect.LLAMACPP:
            return found["error"].keys() - decided == {"code", "message", "type"}
        case Dialect.ANTHROPIC:
            own = found["error"].keys() - decided == {"type", "message"}
            return own and found["type"] == "error" and "request_id" in found
        case _:
            return found["error"].keys() - decided == {"message", "type", "param", "code"}


@addresses(lambda route: route.access in (Access.KEY, Access.ADMIN))
async def test_without_a_key_nothing_is_done(guarded, route, path):
    """Without a key, or with an unknown one, an address answers 401 in its dialect, whatever the body."""
    for key in (None, "somebody-elses"):
        answer = await ask(guarded, route, path, key=key, content=b"no JSON")
        assert answer.status_code == 401
        assert is_error(route, answer)


@addresses(lambda route: route.access is Access.ADMIN)
async def test_an_administrators_address_is_for_administrators(guarded, route, path):
    """An ordinary key gets 403."""
    answer = await ask(guarded, route, path, key=KEYS["APP"], json=body_of(route, "Hello"))
    assert answer.status_code == 403
    assert is_error(route, answer)


@addresses(lambda route: route.access is Access.OPEN)
async def test_an_open_address_needs_no_key(guarded, route, path):
    """What watches the gateway from outside gets an answer without a key, and no content of anybody."""
    assert (await ask(guarded, route, path, key=None)).status_code == 200


@addresses(lambda route: route.access is not Access.OPEN)
async def test_another_hosts_name_is_refused(guarded, route, path):
    """A page elsewhere that points its own name at this machine gets nothing."""
    answer = await ask(guarded, route, path, headers={"Host": "evil.example"})
    assert answer.status_code == 403
    assert is_error(route, answer)


@addresses(lambda route: route.example)
async def test_a_broken_body_is_a_clear_error(guarded, route, path):
    """A body that is no JSON is a 400 in the dialect's shape."""
    answer = await ask(guarded, route, path, content=b'{"model": ')
    assert answer.status_code == 400
    assert is_error(route, answer)


@addresses(lambda route: route.example)
async def test_a_body_is_bounded(guarded, route, path):
    """A body over `max_body_bytes` is a 413 in the dialect's shape."""
    answer = await ask(guarded, route, path, content=b" " * 70_000)
    assert answer.status_code == 413
    assert is_error(route, answer)


@addresses(lambda route: True)
async def test_another_method_is_told_which_are_served(guarded, route, path):
    """A wrong method is a 405 that names the right ones."""
    answer = await ask(guarded, route, path, method="PATCH")
    assert answer.status_code == 405
    assert route.method in answer.headers["allow"]
    assert is_error(route, answer)


def account(house: House, request_id: str) -> tuple[int, int]:
    """Return how many receipts and settlements the ledger has for a request."""
    file = house.gateway.folder / "state" / "ledger.sqlite3"
    with contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as ledger:
        return ledger.execute(
            "SELECT count(*), count(settlements.seq) FROM receipts LEFT JOIN settlements USING (seq) "
            "WHERE request_id = ?",
            (request_id,),
        ).fetchone()


def receipts(house: House) -> int:
    """Return how many receipts the ledger has."""
    file = house.gateway.folder / "state" / "ledger.sqlite3"
    with contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as ledger:
        return ledger.execute("SELECT count(*) FROM receipts").fetchone()[0]


@addresses(lambda route: route.work is Work.ANSWERS)
async def test_what_is_answered_is_inspected_decided_written_down_and_settled(guarded, route, path):
    """An account number keeps a request at home, with one receipt and one settlement; a retry is not answered anew."""
    marker = f"Marker {route.method} {path}. Pay to {IBAN}."
    retried = {"Idempotency-Key": f"once {path}"}
    answer = await ask(guarded, route, path, json=body_of(route, marker), headers=retried)
    assert answer.headers["x-aduana-label"] == "sensitive"
    told = "financial.iban=1" if TEXT in json.dumps(thaw(route.example)) else "doubt."  # numbers, which nobody can read
    assert told in answer.headers["x-aduana-reasons"]
    assert answer.headers.get("x-aduana-zone", "local") == "local"
    assert answer.status_code == 200 or is_error(route, answer)
    async with asyncio.timeout(10):  # the settlement follows the last byte
        while account(guarded, answer.headers["x-request-id"]) != (1, 1):  # noqa: ASYNC110 - another process's file
            await asyncio.sleep(0.05)
    assert "2100 0418" not in guarded.cloud.arrived
    assert path not in guarded.cloud.arrived
    again = await ask(guarded, route, path, json=body_of(route, marker), headers=retried)
    assert ("idempotent-replayed" in again.headers) is (route.once and answer.status_code == 200)


@addresses(lambda route: route.work is Work.ANSWERS)
async def test_a_clean_text_may_leave_where_a_cloud_serves_it(guarded, route, path):
    """What keeps the other test's text at home is inspection: a clean one leaves by every address that has a road."""
    answer = await ask(guarded, route, path, json=body_of(route, f"The harbour at noon, by {path}."))
    assert answer.headers["x-aduana-label"] == "public" or TEXT not in json.dumps(thaw(route.example))
    left = answer.headers.get("x-aduana-zone") == "cloud"
    assert left is any(word in path for word in ("chat", "responses", "messages", "generate"))
    assert (f"by {path}." in guarded.cloud.arrived) is left


@addresses(lambda route: route.work is not Work.ANSWERS and route.access is not Access.OPEN)
async def test_whatever_else_is_asked_goes_nowhere(guarded, route, path):
    """No other address sends anything to a target or writes a receipt."""
    before = receipts(guarded), len(guarded.cloud.bodies)
    body = {"json": body_of(route, f"Marker {path}.")} if route.example else {}
    answer = await ask(guarded, route, path, **body)
    assert answer.status_code < 500
    assert (receipts(guarded), len(guarded.cloud.bodies)) == before


async def test_the_description_is_served(guarded):
    """Anybody can read which addresses there are."""
    found = (await guarded.client.get("/openapi.json")).json()
    assert found["paths"]["/v1/chat/completions"]["post"]["x-aduana-work"] == "answers"
