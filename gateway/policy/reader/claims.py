"""The reader of `claims`, from YAML to data."""

from gateway.core.yaml_source import Path
from gateway.policy.language.ast import Claim
from gateway.policy.language.conditions import ALWAYS
from gateway.policy.reader.conditions import read_condition
from gateway.policy.reader.context import Reading

_KINDS = ("never", "always", "reachable")
_SUBJECTS = ("zone", "target", "refused")


def read_claims(reading: Reading, path: Path, value: object) -> list[Claim]:
    """Read all claims of one list."""
    items = reading.sequence(path, value, "'claims'")
    return [claim for i, item in enumerate(items) if (claim := _claim(reading, (*path, i), item)) is not None]


def _claim(reading: Reading, path: Path, value: object) -> Claim | None:
    fields = reading.mapping(path, value, _KINDS, "a claim")
    if len(fields) != 1:
        if isinstance(value, dict):
            reading.problem(path, "a claim is one of: never: {…}, always: {…}, reachable: rule name.")
        return None
    kind, body = next(iter(fields.items()))
    place = reading.source.where(path)
    if kind == "reachable":
        if body not in reading.names.rule_names:
            names = [name for name in reading.names.rule_names if name]
            reading.unknown((*path, kind), "the rule", str(body), names)
        return Claim(kind=kind, when=ALWAYS, place=place, text=f"reachable: {body}", rule=str(body))
    here = (*path, kind)
    parts = reading.mapping(here, body, ("when", *_SUBJECTS), f"{kind!r}")
    subjects = [subject for subject in _SUBJECTS if subject in parts]
    if len(subjects) != 1:
        reading.problem(here, f"{kind!r} needs exactly one of: zone, target, refused: true.")
        return None
    when = read_condition(reading, (*here, "when"), parts["when"]) if "when" in parts else ALWAYS
    said = parts[subjects[0]]
    target = zone = None
    match subjects[0]:
        case "zone":
            zone = reading.zone((*here, "zone"), said)
        case "target":
            target = str(said)
            if target not in reading.names.catalog.targets:
                reading.unknown((*here, "target"), "the target", target, reading.names.catalog.targets)
        case _ if said is not True:
            reading.problem((*here, "refused"), "write 'refused: true'.")
    text = f"{kind}: {_plain(parts.get('when'))}{subjects[0]} {said}"
    return Claim(
        kind=kind, when=when, place=place, text=text, zone=zone, target=target, refused=subjects[0] == "refused"
    )


def _plain(when: object) -> str:
    """Return a condition as it was written, in one line."""
    return "" if when is None else f"when {_flow(when)}: "


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
