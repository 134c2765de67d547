"""The reader of made-up requests (`given`) and `expect` tables, from YAML or JSON to data."""

from gateway.core.yaml_source import Path
from gateway.policy.language import units
from gateway.policy.language.ast import Expectation, Given
from gateway.policy.language.conditions import FactValue
from gateway.policy.language.facts import BUDGETS, FACTS, Fact, FactKind, Parameter
from gateway.policy.reader.context import Reading

_SAYS = ("target", "zone", "label", "rule", "refused", "masked")
EVERY_LOCAL = "local"  # in a mapping by target: all local targets that are not named
_EXTRA = ("fits", "broken", "causes")
# Facts that follow from others, or that can't be made up.
_DERIVED = frozenset({"label", "share"})


def read_expectations(reading: Reading, path: Path, value: object) -> list[Expectation]:
    """Read all rows of one table."""
    items = reading.sequence(path, value, "'expect'")
    return [row for i, item in enumerate(items) if (row := _row(reading, (*path, i), item)) is not None]


def _row(reading: Reading, path: Path, value: object) -> Expectation | None:
    known = {*_SAYS, "name", "given"}
    fields = reading.mapping(path, value, known, "a row of 'expect'")
    says = [key for key in _SAYS if key in fields]
    if not says:
        reading.problem(path, f"this row expects nothing. Add one of: {', '.join(_SAYS)}.")
        return None
    if "refused" in says and ("target" in says or "zone" in says):
        reading.problem(path, "a refused request has no target and no zone.")
    target = fields.get("target")
    if target is not None and target not in reading.names.catalog.targets:
        reading.unknown((*path, "target"), "the target", str(target), reading.names.catalog.targets)
    rule = fields.get("rule")
    if rule is not None and rule not in reading.names.rule_names and rule != "otherwise":
        reading.unknown((*path, "rule"), "the rule", str(rule), (*reading.names.rule_names, "otherwise"))
    refused, masked = fields.get("refused"), fields.get("masked")
    if masked is not None and not isinstance(masked, bool):
        reading.problem((*path, "masked"), "'masked' is true or false.")
    return Expectation(
        name=str(fields.get("name", "")),
        place=reading.source.where(path),
        given=read_given(reading, (*path, "given"), fields.get("given", {})),
        target=None if target is None else str(target),
        zone=reading.zone((*path, "zone"), fields["zone"]) if "zone" in fields else None,
        label=reading.label((*path, "label"), fields["label"]) if "label" in fields else None,
        rule=None if rule is None else str(rule),
        refused=None if refused in (None, False) else "" if refused is True else str(refused),
        masked=masked if isinstance(masked, bool) else None,
    )


def read_given(reading: Reading, path: Path, value: object) -> Given:
    """Read a made-up request: facts by name, `findings` as a list or with counts."""
    fields = reading.mapping(path, value, (*(name for name in FACTS if name not in _DERIVED), *_EXTRA), "'given'")
    facts: list[tuple[str, str, FactValue]] = []
    for name, item in fields.items():
        if name in FACTS and name != "findings":
            facts.extend(_given(reading, (*path, name), FACTS[name], item))
    return Given(
        facts=tuple(facts),
        findings=_findings(reading, (*path, "findings"), fields.get("findings", [])),
        fits=_fits(reading, (*path, "fits"), fields.get("fits", {})),
        broken=tuple(word for here, word in reading.words((*path, "broken"), fields.get("broken", []), "'broken'")
                     if _is_target(reading, here, word)),
        causes=tuple(reading.category(here, word)
                     for here, word in reading.words((*path, "causes"), fields.get("causes", []), "'causes'")),
    )  # fmt: skip


def _given(reading: Reading, path: Path, fact: Fact, value: object) -> list[tuple[str, str, FactValue]]:
    if fact.parameter in (Parameter.TARGET, Parameter.BUDGET, Parameter.HEADER) and isinstance(value, dict):
        found: list[tuple[str, str, FactValue]] = []
        for of, item in value.items():
            here = (*path, of)
            if of == EVERY_LOCAL and fact.parameter is Parameter.TARGET and not fact.parameter_needed:
                found.append((fact.name, "", _value(reading, here, fact, item)))
                continue
            if fact.parameter is Parameter.TARGET and not _is_target(reading, here, of):
                continue
            if fact.parameter is Parameter.BUDGET and of not in BUDGETS:
                reading.unknown(here, "the budget", of, BUDGETS)
            found.append((fact.name, of.lower(), _value(reading, here, fact, item)))
        return found
    if fact.parameter_needed:
        reading.problem(path, f"write {fact.name!r} as a mapping, such as {{{fact.name}: {{… : …}}}}.")
        return []
    return [(fact.name, "", _value(reading, path, fact, value))]


def _value(reading: Reading, path: Path, fact: Fact, value: object) -> FactValue:
    try:
        match fact.kind:
            case FactKind.NUMBER:
                return None if value is None else units.number(value, fact.unit, reading.names.rates)
            case FactKind.CLOCK:
                return units.clock(value)
            case FactKind.FLAG:
                if not isinstance(value, bool):
                    raise ValueError(f"{fact.name!r} is true or false, not {value!r}")
                return value
            case FactKind.SET:
                return frozenset(word for _, word in reading.words(path, value, f"{fact.name!r}"))
            case _:
                word = str(value)
                if fact.words and word not in fact.words:
                    raise ValueError(f"{fact.name!r} is one of: {', '.join(fact.words)}")
                return word
    except ValueError as error:
        reading.problem(path, f"{error}.")
        return None


def _findings(reading: Reading, path: Path, value: object) -> tuple[tuple[str, int, float], ...]:
    if isinstance(value, dict):
        found: list[tuple[str, int, float]] = []
        for category, item in value.items():
            count, confidence = item if isinstance(item, list) and len(item) == 2 else (item, 1.0)
            if not isinstance(count, int) or count < 0 or not isinstance(confidence, int | float):
                reading.problem((*path, category), "write a count, or [count, confidence].")
                continue
            found.append((str(category), count, float(confidence)))
        return tuple(found)
    return tuple((word, 1, 1.0) for _, word in reading.words(path, value, "'findings'"))


def _fits(reading: Reading, path: Path, value: object) -> tuple[tuple[str, bool], ...]:
    items = reading.mapping(path, value, None, "'fits'").items()
    return tuple((name, item is True) for name, item in items if _is_target(reading, (*path, name), name))


def _is_target(reading: Reading, path: Path, word: str) -> bool:
    if word in reading.names.catalog.targets:
        return True
    reading.unknown(path, "the target", word, reading.names.catalog.targets)
    return False
