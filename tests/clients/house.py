"""A folder with a task in it, and a gateway between a scripted model at home and one in a cloud."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.clients.elsewhere import Elsewhere
from tests.clients.scripted_clouds import ScriptedAnthropic, ScriptedResponses
from tests.clients.scripted_model import CHECK, FILE, OLD, PRINTED, ScriptedModel
from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway

IBAN, MAIL = "ES91 2100 0418 4502 0005 1332", "ana.lopez@clinica-sol.es"
KEY = "sk-aduana-clients-0123456789abcdef"
_TASK = (
    f"Read {FILE}, change its line `{OLD}` to a rate of 0.21 with a comment that {MAIL} asked for it, "
    f"run `python3 {CHECK}` and tell me what it prints."
)
# The ways that a task can go: it must stay at home, or may leave, masked, to a cloud of one kind.
PROMPTS = {
    "home": f"The customer with IBAN {IBAN} pays 21 % now. {_TASK}",
    "cloud": _TASK,
    "anthropic": _TASK,
    "responses": _TASK,
}

_CONFIG = """
policy: policy.yaml
targets:
  home: {{kind: openai, zone: local, base_url: "{home}", model: home-1, context: 200000}}
  big: {{{kind}, base_url: "{cloud}", api_key: "env:STANDIN_KEY", model: big-1, ceiling: internal}}
models:
  auto: {{}}
keys:
  app: {{secret: "env:APP_KEY"}}
"""
_CLOUDS: dict[str, tuple[str, type[ScriptedModel | ScriptedAnthropic | ScriptedResponses]]] = {
    "home": ("kind: openai, zone: cloud", ScriptedModel),
    "cloud": ("kind: openai, zone: cloud", ScriptedModel),
    "anthropic": ("kind: anthropic", ScriptedAnthropic),
    "responses": ("kind: openai, zone: cloud, api: responses", ScriptedResponses),
}
# All that may goes out, addresses masked: what stays at home does so for what it says alone.
_POLICY = """
version: 1
labels: {{default: internal, findings: {{financial: sensitive, contact: sensitive}}}}
rules:
  - {{name: addresses go out masked, mask: [{masked}], prefer: [big, home]}}
otherwise: {{prefer: [big, home]}}
"""


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """How one request ended, as the ledger has it."""

    dialect: str
    zone: str | None
    outcome: str | None


class House:
    """A running gateway, a model at home, one in a cloud, and the folder in which a client works."""

    def __init__(
        self, gateway: RunningGateway, home: StandInCloud, cloud: StandInCloud, elsewhere: Elsewhere, folder: Path
    ) -> None:
        self.gateway, self.home, self.cloud, self.elsewhere, self.folder = gateway, home, cloud, elsewhere, folder
        self.output = ""

    async def run(self, *command: str | Path, env: Mapping[str, str]) -> None:
        """Run a client in the folder of the task, with nothing of this machine's settings, and keep what it printed."""
        home = self.folder.parent / "person"
        home.mkdir(exist_ok=True)
        clean = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TERM": "dumb"}
        process = await asyncio.create_subprocess_exec(
            *map(str, command),
            cwd=self.folder,
            env=clean | self.elsewhere.env() | env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(180):
                printed, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        self.output = printed.decode("utf-8", "replace")
        assert process.returncode == 0, self.output

    def settlements(self) -> list[Settlement]:
        """Return every receipt with its settlement, in order; one without has no outcome."""
        with sqlite3.connect(self.gateway.folder / "state" / "ledger.sqlite3") as connection:
            rows = connection.execute(
                "SELECT dialect, zone, outcome FROM whole_receipts LEFT JOIN settlements USING (seq) ORDER BY seq"
            ).fetchall()
        connection.close()
        return [Settlement(dialect=dialect, zone=zone, outcome=outcome) for dialect, zone, outcome in rows]

    async def settled(self) -> list[Settlement]:
        """Wait until each receipt has its settlement, and return them."""
        async with asyncio.timeout(60):
            while True:
                found = self.settlements()
                if found and all(one.outcome for one in found):
                    return found
                await asyncio.sleep(0.05)

    async def assert_done(self, *, way: str, dialect: str, requests: int) -> None:
        """Assert that the task was done whole, that the ledger has all of it, and that what must not leave did not.

        Args:
            way: One of `PROMPTS`.
            dialect: What the client spoke.
            requests: How many requests the task takes at least.
        """
        assert f"RATE = 0.21  # {MAIL}" in (self.folder / FILE).read_text(encoding="utf-8"), self.output
        assert PRINTED in self.output
        settlements = await self.settled()
        assert len(settlements) >= requests, settlements
        expected = Settlement(dialect=dialect, zone="local" if way == "home" else "cloud", outcome="ok")
        assert {*settlements} == {expected}, settlements
        for zone, target in (("local", self.home), ("cloud", self.cloud)):
            asked = sum(map(bool, target.bodies))  # an empty body is the question what models there are
            assert asked == sum(one.zone == zone for one in settlements)
        for secret in (IBAN, MAIL, "clinica-sol"):
            assert secret not in self.cloud.arrived


def lay_task(folder: Path, *, way: str) -> Path:
    """Write the files of the task into a new folder."""
    folder.mkdir()
    about = f"# Customer {IBAN}\n" if way == "home" else ""
    (folder / FILE).write_text(f"{about}{OLD}\n\n\ndef total(net):\n    return round(net * (1 + RATE), 2)\n")
    (folder / CHECK).write_text(
        "import prices\n\nfound = prices.total(100)\nassert found == 121.0, found\nprint('check passed:', found)\n"
    )
    return folder


@asynccontextmanager
async def open_house(folder: Path, *, way: str, masked: str = "contact") -> AsyncIterator[House]:
    """Lay the task and start the gateway with everything around it; what is `masked` may go out under pseudonyms."""
    task = lay_task(folder / "task", way=way)
    (folder / "policy.yaml").write_text(_POLICY.format(masked=masked))
    kind, scripted = _CLOUDS[way]
    async with ScriptedModel(task) as home, scripted(task) as cloud, Elsewhere() as elsewhere:
        config = _CONFIG.format(home=home.base_url, cloud=cloud.base_url, kind=kind)
        async with RunningGateway(folder, config, env={"STANDIN_KEY": "sk-standin", "APP_KEY": KEY}) as gateway:
            yield House(gateway, home, cloud, elsewhere, task)
