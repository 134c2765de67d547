"""Rules, claims and facts of the benchmark, in our language and the same in CEL."""

from typing import Any

from gateway.core.finding import Inspection
from tests.policy.house import BIG, HOME, catalog_of, inbound

KEYS = tuple(f"key-{number}" for number in range(50))
HOUSE = catalog_of(HOME, BIG, keys=frozenset(KEYS))
INBOUND = inbound(tags=("client-x", "client-y"), key="key-3")
INSPECTION = Inspection()
CEL_FACTS: dict[str, Any] = {
    "prompt_tokens": 700, "gpu_utilization": 0.3, "gpu_temperature": 55.0, "queue_wait_seconds": 0.5, "label": 0,
    "tags": ["client-x", "client-y"], "key": "key-3", "stream": False, "endpoint": "chat", "price_big": 0.002,
    "turns": 1,
}  # fmt: skip


def rules_of(count: int, kind: str) -> list[dict[str, Any]]:
    """Conditions that don't match, and a last one that does."""
    make = {"mixed": _mixed, "numbers": _number, "any": _any}[kind]
    return [*(make(number) for number in range(count - 1)), {"prompt_tokens": {"over": 10}}]


def _mixed(number: int) -> dict[str, Any]:
    match number % 5:
        case 0:
            return {"tags": {"in": [f"client-{number}"]}, "prompt_tokens": {"over": 100 + number}}
        case 1:
            return {"key": {"is": KEYS[number % 50]}, "stream": True}
        case 2:
            return {"any": [{"gpu_utilization": {"over": 0.9}}, {"queue_wait_seconds": {"over": 4 + number}}]}
        case 3:
            return {"all": [{"endpoint": {"is": "chat"}}, {"price": {"on": "big", "over": 0.01 + number / 1000}},
                            {"not": {"tags": {"in": ["health"]}}}]}  # fmt: skip
        case _:
            return {"label": {"is": "sensitive"}, "turns": {"over": number}}


def _number(number: int) -> dict[str, Any]:
    return {"prompt_tokens": {"over": 1000 + number}}


def _any(number: int) -> dict[str, Any]:
    return {
        "any": [
            {"prompt_tokens": {"over": 1000 + number}},
            {"all": [{"gpu_temperature": {"over": 60 + number % 40}}, {"not": {"stream": True}}]},
            {"tags": {"in": [f"client-{number}", "health"]}},
        ]
    }


def cel_of(when: dict[str, Any]) -> str:
    """The same condition in CEL."""
    return " && ".join(_entry(name, value) for name, value in when.items())


def _entry(name: str, value: Any) -> str:
    match name:
        case "all":
            return "(" + " && ".join(cel_of(part) for part in value) + ")"
        case "any":
            return "(" + " || ".join(cel_of(part) for part in value) + ")"
        case "not":
            return f"!({cel_of(value)})"
        case "stream":
            return "stream" if value else "!stream"
        case "tags":
            return "(" + " || ".join(f'"{tag}" in tags' for tag in value["in"]) + ")"
        case "price":
            return f"price_big > {value['over']}"
        case "label":
            return "label == 2"
        case "key" | "endpoint":
            return f'{name} == "{value["is"]}"'
        case _:
            number = value["over"]
            whole = name in ("prompt_tokens", "turns")
            return f"{name} > {number}" if whole else f"{name} > {float(number)}"


def claims() -> list[dict[str, Any]]:
    """Ten claims."""
    return [
        {"never": {"when": {"tags": {"in": ["health"]}}, "zone": "cloud"}},
        {"always": {"when": {"label": {"is": "sensitive"}}, "zone": "local"}},
        {"never": {"when": {"findings": {"in": ["id"]}}, "zone": "cloud"}},
        {"never": {"when": {"findings": {"in": ["secret"]}}, "zone": "cloud"}},
        {"never": {"when": {"tainted": True}, "zone": "cloud"}},
        {"never": {"when": {"doubts": {"in": ["image"]}}, "zone": "cloud"}},
        {"never": {"when": {"label": {"over": "public"}}, "target": "big"}},
        {"reachable": "rule 0"},
        {"reachable": "rule 199"},
        {"never": {"when": {"key": {"is": "key-3"}, "has_images": True}, "zone": "local"}},
    ]
