"""Dashboards and rules: generated files are current, lint, types round trip, rule tests."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from grafana.generate import FOLDER, PAGE, Dashboard, JSONEncoder, dashboards
from grafana.metrics_page import page
from tests.observe.metrics.test_metrics import TABLE

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "grafana" / "rules"
NAMES = ("savings.json", "performance.json")


def panels(name: str) -> list[dict[str, Any]]:
    """Panels of a committed dashboard, rows left out."""
    found: list[dict[str, Any]] = json.loads((FOLDER / name).read_text(encoding="utf-8"))["panels"]
    return [panel for panel in found if panel["type"] != "row"]


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_json_is_what_the_generator_writes(name: str) -> None:
    """Run `python -m grafana.generate` after a change."""
    assert dashboards()[name] == (FOLDER / name).read_text(encoding="utf-8")


def test_the_table_of_metrics_is_current_and_whole() -> None:
    """Every metric that the gateway exposes stands in METRICS.md, and nothing else."""
    text = PAGE.read_text(encoding="utf-8")
    assert text == page()
    listed = set(re.findall(r"^\| `(aduana_\w+)`", text, re.M))
    assert listed == set(TABLE)


@pytest.mark.parametrize("name", NAMES)
def test_grafanas_own_types_read_the_json_back(name: str) -> None:
    """From JSON through the SDK's classes and back: nothing is lost or unknown."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    again = json.dumps(Dashboard.from_json(json.loads(text)), cls=JSONEncoder, sort_keys=True)
    assert json.loads(again) == json.loads(text)


@pytest.mark.parametrize("name", NAMES)
def test_lint(name: str) -> None:
    """The rules of grafana/dashboard-linter that apply, and our own."""
    whole = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    variables = {variable["name"]: variable for variable in whole["templating"]["list"]}
    assert {"datasource", "job", "instance", "model"} <= set(variables)
    assert variables["datasource"]["type"] == "datasource"
    assert whole["uid"]
    assert whole["description"]
    assert "aduana" in whole["tags"]
    identifiers = [panel["id"] for panel in whole["panels"]]
    assert len(set(identifiers)) == len(identifiers)
    titles = [panel["title"] for panel in panels(name)]
    assert len(set(titles)) == len(titles), "two panels with one title"
    used = set()
    for panel in panels(name):
        where = panel["title"]
        assert panel["description"], where
        assert panel["datasource"]["uid"] == "${datasource}", where
        assert panel["fieldConfig"]["defaults"]["unit"], where
        assert panel["targets"], where
        for target in panel["targets"]:
            expression = target["expr"]
            used |= set(re.findall(r"\$(\w+)", expression))
            for selector in re.findall(r"\b(?:aduana|process)_\w+(\{[^}]*\})?", expression):
                assert 'job=~"$job"' in selector, f"{where}: a selector without job"
                assert 'instance=~"$instance"' in selector, f"{where}: a selector without instance"
            for counter in re.findall(r"(\w+)\(aduana_\w+_total\b", expression):
                assert counter in ("rate", "increase"), f"{where}: a counter without rate or increase"
            assert not re.search(r"rate\([^\[]*\[\d", expression), f"{where}: rate with a fixed window"
    assert set(variables) - {"datasource", "currency"} <= used, "a variable that no panel uses"
    for variable in variables.values():
        used |= set(re.findall(r"\$(\w+)", json.dumps(variable.get("query", ""))))
    assert used - {"__range", "__rate_interval"} <= set(variables), "a variable that does not exist"


@pytest.mark.parametrize("name", NAMES)
def test_panels_do_not_overlap(name: str) -> None:
    """Each cell of the grid belongs to one panel, and nothing sticks out on the right."""
    whole = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    cells: dict[tuple[int, int], str] = {}
    for panel in whole["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in cells, f"{panel['title']} lies on {cells[x, y]}"
                cells[x, y] = panel["title"]


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs promtool; skips where there is none."""
    binary = shutil.which("promtool")
    if binary is None:
        pytest.skip("promtool is not installed (Debian: apt install prometheus)")
    return subprocess.run([binary, *arguments], capture_output=True, text=True, check=False)


def test_rules_load_and_behave() -> None:
    """`promtool check rules` and `promtool test rules`: each alert fires when it must, and only then."""
    checked = promtool("check", "rules", str(RULES / "alerts.yaml"), str(RULES / "recording.yaml"))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = promtool("test", "rules", str(RULES / "tests.yaml"))
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_alert_is_tested_and_tells_what_to_do() -> None:
    """Both ways, with severity, summary and description."""
    tests = (RULES / "tests.yaml").read_text(encoding="utf-8")
    alerts = [rule for group in YAML(typ="safe").load(RULES / "alerts.yaml")["groups"] for rule in group["rules"]]
    for alert in alerts:
        name = alert["alert"]
        assert f"name: {name} fires" in tests, name
        assert f"name: {name} keeps quiet" in tests, name
        assert alert["labels"]["severity"] in ("page", "ticket"), name
        assert {"summary", "description"} <= set(alert["annotations"]), name


def test_provisioning_names_what_the_dashboards_use() -> None:
    """Grafana's provisioning files are versioned, and the data source is the default one."""
    folder = ROOT / "grafana" / "provisioning"
    sources = YAML(typ="safe").load(folder / "datasources" / "prometheus.yaml")
    providers = YAML(typ="safe").load(folder / "dashboards" / "aduana.yaml")
    assert sources["apiVersion"] == providers["apiVersion"] == 1
    assert sources["datasources"][0]["type"] == "prometheus"
    assert sources["datasources"][0]["isDefault"] is True
    assert providers["providers"][0]["options"]["path"].startswith("/var/lib/grafana/")
