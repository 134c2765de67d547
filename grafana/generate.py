"""Writes the dashboards' JSON and the table of metrics: `python -m grafana.generate`. A test compares."""

import json
import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana import performance, savings
from grafana.metrics_page import page

FOLDER = Path(__file__).parent / "dashboards"
PAGE = Path(__file__).parent / "METRICS.md"


def dashboards() -> dict[str, str]:
    """File name → JSON."""
    built = {"savings.json": savings.build(), "performance.json": performance.build()}
    return {name: _text(builder.build()) for name, builder in built.items()}


def _text(dashboard: Dashboard) -> str:
    for number, panel in enumerate(dashboard.panels or (), 1):
        panel.id_val = number  # links to a panel stay valid across versions as long as the order does
    return json.dumps(dashboard, cls=JSONEncoder, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Write them."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in dashboards().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"wrote {FOLDER / name}")
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
