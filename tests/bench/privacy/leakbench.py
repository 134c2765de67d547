"""The cases of leakbench, a third party's (the package `endorouter`): what would stay, and what would leave.

There a caller may declare where a text comes from; what is private by that alone is a tag here, and left out.
"""

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gateway.core.document import JsonObject, freeze_object
from tests.bench.privacy.own import Sight
from tests.bench.privacy.shares import Share, table

_DECLARED = frozenset({"private_source", "mixed_sources", "declared_private"})
_SETS = {"cases.jsonl": "cases", "cases-boundary.jsonl": "boundary", "cases-hard.jsonl": "hard"}
_META = frozenset({"id", "category", "truth", "sources", "label"})


def installed() -> bool:
    """Tell whether the package is there."""
    return find_spec("endorouter") is not None


def cases() -> Iterator[tuple[str, bool, str, JsonObject]]:
    """Yield set, whether it is private, id and document of each case."""
    spec = find_spec("endorouter")
    assert spec is not None
    assert spec.origin is not None
    for file, name in _SETS.items():
        lines = (Path(spec.origin).parent / "leakbench" / file).read_text("utf-8").splitlines()
        for case in (json.loads(line) for line in lines if line.strip()):
            if case["category"] not in _DECLARED:
                yield name, case["truth"] == "private", case["id"], _document(case)


def _document(case: dict[str, Any]) -> JsonObject:
    return freeze_object({name: value for name, value in case.items() if name not in _META})


def print_table(columns: list[str], show: int) -> None:
    """Print what each column keeps of each set."""
    sight = Sight()
    every = list(cases())
    print("\n**leakbench (`endorouter`): cases that are kept**\n")
    rows: list[list[object]] = []
    for private, told in ((True, "private"), (False, "public: false alarms")):
        for name in _SETS.values():
            some = [document for group, secret, _, document in every if group == name and secret is private]
            kept = [Share(sum(sight.kept(one, column) for one in some), len(some)) for column in columns]
            rows.append([f"{name}, {told}", len(some), *(f"{one.flagged}" for one in kept)])
    table(["", "cases", *columns], rows)
    for name, private, case, document in every if show else ():
        if sight.kept(document, columns[-1]) is not private:
            print(f"    {'leaked' if private else 'kept'}: {name}, {case}")
