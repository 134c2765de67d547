"""Every expression of every panel and rule, executed by a real Prometheus that scraped the real metrics."""

import json
import math
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ruamel.yaml import YAML

from gateway.core.attachment import FileKind
from gateway.core.events import AttachmentRead, FellBack, Shadowed
from gateway.core.labels import Label, Zone
from gateway.core.record import Outcome
from gateway.observe import EnergyReport, Metrics, Readings
from tests.grafana.prometheus import Server, exposing, running
from tests.observe.conftest import KNOWN, READINGS, WORLD, decided, make_receipt, make_settlement, settled

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "grafana" / "rules"
VARIABLES = {
    "__rate_interval": "30s",
    "__range": "5m",
    "rate": "1.08",
    "job": "aduana",
    "instance": ".*",
    "model": ".*",
    "reference_model": ".*",
}


def substituted(expression: str) -> str:
    """As Grafana would send it."""
    return re.sub(r"\$(\w+)", lambda match: VARIABLES[match[1]], expression)


def panel_expressions() -> list[tuple[str, str]]:
    """(title, expression) of every target of every panel."""
    found = []
    for file in sorted((ROOT / "grafana" / "dashboards").glob("*.json")):
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            found += [(f"{file.stem}: {panel['title']}", target["expr"]) for target in panel.get("targets", ())]
    return found


def rule_expressions() -> list[tuple[str, str]]:
    """(name, expression) of every rule."""
    found = []
    for file in ("recording.yaml", "alerts.yaml"):
        for group in YAML(typ="safe").load(RULES / file)["groups"]:
            found += [(rule.get("alert") or rule["record"], rule["expr"]) for rule in group["rules"]]
    return found


class Traffic:
    """Some of everything, again and again."""

    def __init__(self) -> None:
        self._rounds = 0
        self.metrics = Metrics(KNOWN, msgspec.structs.replace(WORLD, readings=self._readings))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Metrics:
        self._thread.start()
        return self.metrics

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _readings(self) -> Readings:
        used = self._rounds / 10
        energy = EnergyReport(
            joules={("gpu0", "request", "counter"): 3 * used, ("gpu0", "idle", "counter"): used},
            electricity_micros={"request": 2 * used, "idle": used},
            hardware_micros=used,
            price_per_kwh=0.24,
        )
        return msgspec.structs.replace(READINGS, energy=energy)

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            self._once()

    def _once(self) -> None:
        self._rounds += 1
        on = self.metrics.on
        on(decided())
        on(settled(settlement=make_settlement(first_token_seconds=0.3), gaps=(0.02,) * 20))
        out = make_receipt(rule="long prompts go out", permitted=("big", "home"))
        on(decided(out, first_zone=Zone.CLOUD, reason="rule"))
        away = {"target": "big", "zone": Zone.CLOUD, "cost_micros": 900, "avoided_micros": None}
        on(settled(out, make_settlement(**away, first_token_seconds=0.8), gaps=(0.01,) * 20))
        on(decided())
        on(FellBack(source="home", target="big", reason="target_unavailable"))
        on(settled(settlement=make_settlement(target="big", zone=Zone.CLOUD, cost_micros=1, avoided_micros=None)))
        secret = make_receipt(label=Label.SENSITIVE, label_source="detector", permitted=("home",))
        on(decided(secret))
        on(settled(secret))
        refused = make_receipt(label=Label.SENSITIVE, permitted=(), refusal="policy_refused", rule="-")
        on(decided(refused, first_zone=None, reason="refused"))
        nowhere = make_settlement(outcome=Outcome.REFUSED, target=None, zone=None, avoided_micros=None)
        on(settled(refused, nowhere))
        on(Shadowed(request_id="r1", target="home", shadow="big", similarity=0.7, seconds=0.1))
        on(AttachmentRead(kind=FileKind.PDF, outcome="whole", seconds=0.2))
        self.metrics.model_loaded("home", 3.0, ok=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Prometheus with our rules, after it has scraped a busy gateway for a while."""
    folder = tmp_path_factory.mktemp("prometheus")
    for name in ("recording.yaml", "alerts.yaml"):
        text = (RULES / name).read_text(encoding="utf-8").replace("interval: 30s", "interval: 1s")
        (folder / name).write_text(text, encoding="utf-8")
    with Traffic() as metrics, exposing(metrics.render) as port:
        config = f"""
global: {{scrape_interval: 500ms, evaluation_interval: 1s}}
rule_files: [recording.yaml, alerts.yaml]
scrape_configs:
  - job_name: aduana
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
        with running(folder, config) as server:
            server.wait(lambda: server.query("count_over_time(aduana_build_info[5m])") >= [6.0], "six scrapes")
            server.wait(lambda: bool(server.query("job:aduana_saved_usd:increase1d")), "rules evaluated")
            yield server


@pytest.mark.parametrize(("title", "expression"), panel_expressions(), ids=lambda text: text[:60])
def test_every_panel_shows_something(server: Server, title: str, expression: str) -> None:
    """No error, no empty result, not only NaN. There is some of every kind of traffic, so nothing may be excused."""
    values = server.query(substituted(expression))
    assert any(not math.isnan(value) for value in values), f"{title}: {expression}"


def test_every_name_exists(server: Server) -> None:
    """A metric that a panel or rule mentions is one that the gateway exposes or a rule records."""
    known = set(server.get("label/__name__/values"))
    for title, expression in panel_expressions() + rule_expressions():
        names = set(re.findall(r"[a-z_:]*(?:aduana|process)_[a-z_:0-9]+", expression))
        assert names, title
        assert names <= known, f"{title}: {sorted(names - known)}"


def test_every_label_exists(server: Server) -> None:
    """A label that an expression groups by or matches is one that its metric has."""
    labels: dict[str, set[str]] = {}

    def of(metric: str) -> set[str]:
        if metric not in labels:
            series: list[dict[str, Any]] = server.get("series", **{"match[]": metric})
            labels[metric] = {label for one in series for label in one}
        return labels[metric]

    for title, expression in panel_expressions() + rule_expressions():
        metrics = re.findall(r"[a-z_:]*(?:aduana|process)_[a-z_:0-9]+", expression)
        for metric, inside in re.findall(r"([a-z_:]*(?:aduana|process)_[a-z_:0-9]+)\{([^}]*)\}", expression):
            for label in re.findall(r"(\w+)\s*=", inside):
                assert label in of(metric), f"{title}: {metric} has no label {label}"
        for group in re.findall(r"by \(([^)]*)\)", expression):
            for label in (name.strip() for name in group.split(",")):
                assert any(label in of(metric) for metric in metrics), f"{title}: nothing has a label {label}"


def test_every_rule_is_healthy(server: Server) -> None:
    """Prometheus evaluated each of them without an error."""
    server.wait(
        lambda: all(rule["health"] == "ok" for group in server.get("rules")["groups"] for rule in group["rules"]),
        "all rules healthy",
    )
    alerts = {alert["labels"]["alertname"] for alert in server.get("alerts")["alerts"]}
    assert "AduanaPrivacyViolationStopped" not in alerts
    assert "AduanaDown" not in alerts
