"""Writes the dashboards' JSON. Run `python -m grafana.generate`; a test compares the files with what it would write."""

import json
import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana import performance, savings

FOLDER = Path(__file__).parent / "dashboards"


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
    return 0


if __name__ == "__main__":
    sys.exit(main())
