"""The reader of rules and `otherwise`, from YAML to data."""

from gateway.core.labels import Zone
from gateway.core.yaml_source import Path, Position
from gateway.policy.language import units
from gateway.policy.language.ast import Otherwise, Overrides, Rule
from gateway.policy.language.conditions import ALWAYS, All, Condition
from gateway.policy.reader.conditions import read_condition
from gateway.policy.reader.context import Reading
from gateway.privacy.categories import maskable

_ACTIONS = ("prefer", "only", "refuse", "tag", "raise", "mask", "set", "priority", "shadow")
_NOT_YET = {"race": "asking several targets at once", "cascade": "asking a second target after a "
            "weak answer"}  # fmt: skip
_KEYS = ("name", "when", "note", *_ACTIONS, *_NOT_YET)
_PRIORITIES = {"low": -1, "normal": 0, "high": 1}
RESERVED_NAMES = ("otherwise", "-", "other")


def read_rules(reading: Reading, path: Path, value: object, scope: Condition = ALWAYS) -> list[Rule]:
    """Read the rules of one list. `scope` is the key or alias that they are for."""
    items = reading.sequence(path, value, "'rules'")
    return [rule for i, item in enumerate(items) if (rule := _rule(reading, (*path, i), item, scope)) is not None]


def _rule(reading: Reading, path: Path, value: object, scope: Condition) -> Rule | None:
    fields = reading.mapping(path, value, _KEYS, "a rule")
    if not fields:
        return None
    name = _name(reading, path, fields)
    for word, meaning in _NOT_YET.items():
        if word in fields:
            reading.problem((*path, word), f"{word!r} ({meaning}) is a reserved word and not yet there. Leave it out.")
    if not any(action in fields for action in (*_ACTIONS, *_NOT_YET)):
        reading.problem(path, f"the rule {name!r} does nothing. Add one of: {', '.join(_ACTIONS)}.")
    when = read_condition(reading, (*path, "when"), fields["when"]) if "when" in fields else ALWAYS
    return Rule(
        name=name,
        place=reading.source.where(path),
        when=_scoped(scope, when),
        prefer=_targets(reading, path, fields, "prefer"),
        stays="prefer" in fields and not _names_cloud(reading, (*path, "prefer"), fields["prefer"]),
        only=None if (only := _targets(reading, path, fields, "only")) is None else frozenset(only),
        refuse=_refuse(reading, path, fields, name),
        tag=_tags(reading, path, fields),
        raise_to=reading.label((*path, "raise"), fields["raise"]) if "raise" in fields else None,
        overrides=_overrides(reading, path, fields),
        mask=_mask(reading, path, fields),
        note=str(fields.get("note", "")),
    )


def _scoped(scope: Condition, when: Condition) -> Condition:
    if scope is ALWAYS:
        return when
    return scope if when is ALWAYS else All(items=(scope, when))


def _name(reading: Reading, path: Path, fields: dict[str, object]) -> str:
    if "name" not in fields:
        reading.problem(path, "this rule has no 'name'. Receipts, headers and metrics call it by name.")
        return ""
    name = reading.text((*path, "name"), fields["name"], "'name'")
    first = reading.names.rule_names.setdefault(name, reading.source.where(path))
    if isinstance(first, Position) and first != reading.source.where(path):
        reading.problem((*path, "name"), f"the rule {name!r} exists already ({first}). Give each its own name.")
    if name in RESERVED_NAMES or len(name) > 100 or not name.isprintable():
        reading.problem((*path, "name"), f"{name!r} can't be a rule's name.")
    return name


def _targets(reading: Reading, path: Path, fields: dict[str, object], key: str) -> tuple[str, ...] | None:
    return reading.targets((*path, key), fields[key], f"{key!r}") if key in fields else None


def _names_cloud(reading: Reading, path: Path, value: object) -> bool:
    """Return whether an order of targets has the cloud in it, by a target's name or by a zone word."""
    targets = reading.names.catalog.targets
    for _, word in reading.words(path, value, "'prefer'"):
        if word in ("cloud", "any") or (word in targets and targets[word].zone is Zone.CLOUD):
            return True
    return False


def _refuse(reading: Reading, path: Path, fields: dict[str, object], name: str) -> str | None:
    value = fields.get("refuse")
    if "refuse" not in fields:
        return None
    if value is True:
        return f"The policy refuses this request (rule {name!r})."
    if not isinstance(value, str) or not value.strip():
        reading.problem((*path, "refuse"), "'refuse' takes the message for the caller, or true.")
        return None
    return value


def _tags(reading: Reading, path: Path, fields: dict[str, object]) -> frozenset[str]:
    if "tag" not in fields:
        return frozenset()
    # A rule that attaches a tag declares it thereby: names.tags has it already.
    return frozenset(word for _, word in reading.words((*path, "tag"), fields["tag"], "'tag'"))


def _mask(reading: Reading, path: Path, fields: dict[str, object]) -> frozenset[str]:
    found: set[str] = set()
    for here, word in reading.words((*path, "mask"), fields["mask"], "'mask'") if "mask" in fields else ():
        if not maskable(word):
            reading.problem(
                here,
                f"{word!r} can't be masked: a secret that left under another name would be no use there, and one that "
                "was overlooked would be out. Requests with secrets stay local.",
            )
        else:
            found.add(reading.category(here, word))
    if "mask" in fields and fields["mask"] in ([], ""):
        reading.problem((*path, "mask"), "'mask' takes categories of findings, such as [contact.email, person].")
    return frozenset(found)


def _overrides(reading: Reading, path: Path, fields: dict[str, object]) -> Overrides | None:
    if not any(key in fields for key in ("set", "priority", "shadow")):
        return None
    here = (*path, "set")
    given = reading.mapping(here, fields.get("set", {}), ("max_output_tokens", "temperature", "system_prefix"), "'set'")
    cap = _number(reading, (*here, "max_output_tokens"), given.get("max_output_tokens"), units.Unit.TOKENS)
    temperature = _number(reading, (*here, "temperature"), given.get("temperature"), units.Unit.COUNT)
    if cap is not None and cap < 1:
        reading.problem((*here, "max_output_tokens"), "an answer needs at least one token.")
    if temperature is not None and temperature > 2:
        reading.problem((*here, "temperature"), "temperatures go from 0 to 2.")
    prefix = given.get("system_prefix")
    return Overrides(
        max_output_tokens=None if cap is None else int(cap),
        temperature=temperature,
        system_prefix=None if prefix is None else reading.text((*here, "system_prefix"), prefix, "'system_prefix'"),
        priority=_priority(reading, (*path, "priority"), fields.get("priority", 0)),
        shadow=_shadow(reading, path, fields),
    )


def _number(reading: Reading, path: Path, value: object, unit: units.Unit) -> float | None:
    if value is None:
        return None
    try:
        return units.number(value, unit, reading.names.rates)
    except ValueError as error:
        reading.problem(path, f"{error}.")
        return None


def _priority(reading: Reading, path: Path, value: object) -> int:
    if isinstance(value, str) and value in _PRIORITIES:
        return _PRIORITIES[value]
    if isinstance(value, int) and not isinstance(value, bool) and -100 <= value <= 100:
        return value
    reading.problem(path, "'priority' is low, normal, high, or a whole number from -100 to 100.")
    return 0


def _shadow(reading: Reading, path: Path, fields: dict[str, object]) -> str | None:
    if "shadow" not in fields:
        return None
    word = str(fields["shadow"])
    if word not in reading.names.catalog.targets:
        reading.unknown((*path, "shadow"), "the target", word, reading.names.catalog.targets)
        return None
    return word


def read_otherwise(reading: Reading, path: Path, value: object, scope: Condition = ALWAYS) -> Otherwise:
    """Read an order of last resort: `otherwise: {prefer: […]}`."""
    fields = reading.mapping(path, value, ("prefer", "note"), "'otherwise'")
    prefer = reading.targets((*path, "prefer"), fields.get("prefer", []), "'prefer'")
    if "prefer" not in fields:
        reading.problem(path, "'otherwise' needs 'prefer', the order of targets where no rule has one.")
    return Otherwise(when=scope, prefer=prefer, place=reading.source.where(path))
