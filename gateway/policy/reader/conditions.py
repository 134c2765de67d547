"""The reader of conditions, from YAML to data.

Several keys in one mapping mean `all`. A plain value means `is`, a list means `in`. A text where a condition is
expected names one from `let`.
"""

from collections.abc import Callable

from gateway.core.yaml_source import Path
from gateway.policy.language import units
from gateway.policy.language.conditions import (
    INFINITY,
    All,
    Any,
    Atom,
    Condition,
    FactRef,
    Flag,
    Interval,
    Matches,
    Not,
    Overlap,
    Test,
    Words,
    regex,
)
from gateway.policy.language.facts import BUDGETS, FACTS, SHARES, Fact, FactKind, Parameter, label_number
from gateway.policy.reader.context import Reading

NOTHING: Condition = All()
_WORD_GROUPS = {"weekend": ("saturday", "sunday"), "workday": ("monday", "tuesday", "wednesday", "thursday", "friday")}
_OPERATORS = {
    FactKind.NUMBER: ("is", "in", "over", "under", "between"),
    FactKind.LABEL: ("is", "in", "over", "under", "between"),
    FactKind.CLOCK: ("over", "under", "between"),
    FactKind.WORD: ("is", "in", "matches"),
    FactKind.NAME: ("is", "in", "matches"),
    FactKind.SET: ("is", "in"),
    FactKind.FLAG: ("is",),
}


def read_condition(reading: Reading, path: Path, value: object) -> Condition:
    """Read a condition. After a problem the result does not matter, since the file won't load."""
    if isinstance(value, str):
        return _named(reading, path, value)
    if not isinstance(value, dict):
        reading.problem(
            path, "a condition must be a mapping such as {prompt_tokens: {over: 6000}}, or a name of 'let'."
        )
        return NOTHING
    if not value:
        reading.problem(path, "this condition is empty; leave 'when' out for a rule that always matches.")
        return NOTHING
    parts = [_entry(reading, (*path, key), key, item) for key, item in value.items()]
    return parts[0] if len(parts) == 1 else All(items=tuple(parts))


def _named(reading: Reading, path: Path, name: str) -> Condition:
    names = reading.names
    let = names.lets.get(name)
    if let is None or isinstance(let.value, list):
        known = [key for key, item in names.lets.items() if not isinstance(item.value, list)]
        reading.unknown(path, "the named condition", name, known, "" if known else " 'let' has none.")
        return NOTHING
    if name in names.open_lets:
        circle = " → ".join((*names.open_lets[names.open_lets.index(name) :], name))
        reading.problem(path, f"the named conditions go in a circle: {circle}.")
        return NOTHING
    if name not in names.conditions:
        names.open_lets.append(name)
        names.conditions[name] = read_condition(reading.elsewhere(let.source), let.path, let.value)
        names.open_lets.pop()
    return names.conditions[name]


def _entry(reading: Reading, path: Path, key: str, value: object) -> Condition:
    match key:
        case "all" | "any":
            items = reading.sequence(path, value, f"{key!r}")
            parts = tuple(read_condition(reading, (*path, i), item) for i, item in enumerate(items))
            if not parts and isinstance(value, list):
                reading.problem(path, f"{key!r} is empty.")
            return All(items=parts) if key == "all" else Any(items=parts)
        case "not":
            return Not(item=read_condition(reading, path, value))
        case _ if key in FACTS:
            return read_fact(reading, path, FACTS[key], value)
        case _:
            reading.unknown(path, "the fact", key, (*FACTS, "all", "any", "not"))
            return NOTHING


def read_fact(reading: Reading, path: Path, fact: Fact, value: object) -> Condition:
    """Read the condition on one fact."""
    tests: dict[str, object] = {}
    of = ""
    if isinstance(value, dict):
        extra = _extra_keys(fact)
        tests = reading.mapping(path, value, (*_OPERATORS[fact.kind], *extra), f"the fact {fact.name!r}")
        if fact.name == "findings" and ("category" in tests or "count" in tests or "confidence" in tests):
            return _counted(reading, path, tests)
        of = _parameter(reading, path, fact, {key: tests.pop(key) for key in extra if key in tests})
    else:
        tests["in" if isinstance(value, list) else "is"] = value
    if fact.parameter_needed and not of:
        word = fact.parameter.value if fact.parameter else ""
        reading.problem(path, f"the fact {fact.name!r} needs {word!r}, as in {_example_of(fact)}.")
    ref = FactRef(name=fact.name, of=of or _default_parameter(fact))
    if not tests:
        reading.problem(path, f"what must {fact.name!r} be? Add one of: {', '.join(_OPERATORS[fact.kind])}.")
    parts = [_test(reading, (*path, key) if isinstance(value, dict) else path, ref, fact, key, item)
             for key, item in tests.items()]  # fmt: skip
    return parts[0] if len(parts) == 1 else All(items=tuple(parts))


def _extra_keys(fact: Fact) -> tuple[str, ...]:
    if fact.name == "findings":
        return ("category", "count", "confidence")
    if fact.parameter is Parameter.SHARE:
        return ("by", "salt")
    return (fact.parameter.value,) if fact.parameter else ()


def _default_parameter(fact: Fact) -> str:
    return "caller:" if fact.parameter is Parameter.SHARE else ""


def _example_of(fact: Fact) -> str:
    return {
        Parameter.BUDGET: f"{{{fact.name}: {{of: day, over: 5 USD}}}}",
        Parameter.TARGET: f"{{{fact.name}: {{on: big, over: 0.05 USD}}}}",
        Parameter.HEADER: f"{{{fact.name}: {{name: x-project, is: docs}}}}",
    }.get(fact.parameter or Parameter.SHARE, "")


def _parameter(reading: Reading, path: Path, fact: Fact, given: dict[str, object]) -> str:
    match fact.parameter:
        case Parameter.TARGET:
            word = str(given.get("on", ""))
            if "on" in given and word not in reading.names.catalog.targets:
                reading.unknown((*path, "on"), "the target", word, reading.names.catalog.targets)
            return word
        case Parameter.BUDGET:
            word = str(given.get("of", ""))
            if "of" in given and word not in BUDGETS:
                reading.unknown((*path, "of"), "the budget", word, BUDGETS)
            return word
        case Parameter.HEADER:
            return str(given.get("name", "")).lower()
        case Parameter.SHARE:
            word = str(given.get("by", "caller"))
            if word not in SHARES:
                reading.unknown((*path, "by"), "the share by", word, SHARES)
            return f"{word}:{given.get('salt', '')}"
        case None:
            return ""


def _counted(reading: Reading, path: Path, tests: dict[str, object]) -> Condition:
    """Read a count of findings: `findings: {category: id, count: {over: 2}, confidence: {over: 80 %}}`."""
    category = reading.text((*path, "category"), tests.get("category", ""), "'category'")
    if category:
        reading.category((*path, "category"), category)
    parts: list[Condition] = []
    for key in ("count", "confidence"):
        if key not in tests:
            continue
        unit = units.Unit.COUNT if key == "count" else units.Unit.RATIO
        fact = Fact(name=f"finding_{key}", kind=FactKind.NUMBER, unit=unit, summary="", always_known=True)
        value = tests[key]
        inner = value if isinstance(value, dict) else {"is": value}
        inner = reading.mapping((*path, key), inner, _OPERATORS[FactKind.NUMBER], f"{key!r}")
        ref = FactRef(name=fact.name, of=category)
        parts.extend(_test(reading, (*path, key), ref, fact, name, item) for name, item in inner.items())
    for key in ("is", "in"):
        if key in tests:
            reading.problem((*path, key), "write either 'category' with 'count' or 'confidence', or 'in'.")
    if not parts:
        parts.append(Atom(fact=FactRef(name="findings"), test=Overlap(values=frozenset({category}))))
    return parts[0] if len(parts) == 1 else All(items=tuple(parts))


def _test(reading: Reading, path: Path, ref: FactRef, fact: Fact, operator: str, value: object) -> Condition:
    match fact.kind:
        case FactKind.NUMBER | FactKind.LABEL | FactKind.CLOCK:
            return _ordered(reading, path, ref, fact, operator, value)
        case FactKind.FLAG:
            if not isinstance(value, bool):
                reading.problem(path, f"{fact.name!r} is true or false, not {value!r}.")
            return Atom(fact=ref, test=Flag(value=value is True))
        case FactKind.WORD | FactKind.NAME | FactKind.SET:
            if operator == "matches":
                return Atom(fact=ref, test=_pattern(reading, path, value))
            found = tuple(w for here, word in reading.words(path, value, f"{fact.name!r}")
                          for w in _known_words(reading, here, fact, word))  # fmt: skip
            make: Callable[..., Test] = Overlap if fact.kind is FactKind.SET else Words
            if not found:
                reading.problem(path, "this list is empty.")
            return Atom(fact=ref, test=make(values=frozenset(found)))


def _pattern(reading: Reading, path: Path, value: object) -> Matches:
    pattern = value if isinstance(value, str) else ""
    try:
        regex(pattern)
    except ValueError as error:
        reading.problem(path, f"the pattern {value!r} is not a regular expression that RE2 knows: {error}.")
    return Matches(pattern=pattern)


def _known_words(reading: Reading, path: Path, fact: Fact, word: str) -> tuple[str, ...]:
    names = reading.names
    match fact.name:
        case "tags":
            return (reading.tag(path, word),)
        case "findings":
            return (reading.category(path, word),)
        case "key":
            known, what = names.keys, "the key"
        case "alias":
            known, what = frozenset(names.catalog.aliases), "the model"
        case _ if fact.words:
            known, what = frozenset(fact.words), f"the {fact.name}"
            if fact.name == "weekday" and word in _WORD_GROUPS:
                return _WORD_GROUPS[word]
        case _:
            return (word,)
    if word not in known:
        reading.unknown(path, what, word, known)
    return (word,)


def _ordered(reading: Reading, path: Path, ref: FactRef, fact: Fact, operator: str, value: object) -> Condition:
    def number(item: object) -> float:
        if fact.kind is FactKind.LABEL:
            return label_number(str(item))
        if fact.kind is FactKind.CLOCK:
            return units.clock(item)
        return units.number(item, fact.unit, reading.names.rates)

    def interval(**ends: float | bool) -> Condition:
        return Atom(fact=ref, test=Interval(**ends))  # type: ignore[arg-type]  # bounds are floats, `_in` are bools

    try:
        match operator:
            case "over":
                return interval(low=number(value))
            case "under":
                return interval(high=number(value))
            case "is":
                return interval(low=number(value), high=number(value), low_in=True, high_in=True)
            case "in":
                points = [number(item) for item in (value if isinstance(value, list) else [value])]
                each = tuple(interval(low=point, high=point, low_in=True, high_in=True) for point in points)
                return each[0] if len(each) == 1 else Any(items=each)
            case "between" if fact.kind is FactKind.CLOCK:
                low, high = units.span(value)
                if low < high:
                    return interval(low=low, high=high, low_in=True)
                return Any(items=(interval(low=low, low_in=True), interval(high=high)))
            case _:
                low, high = _ends(value, number)
                return interval(low=low, high=high, low_in=True, high_in=True)
    except ValueError as error:
        sentence = str(error)
        reading.problem(path, sentence if sentence.endswith(".") else sentence + ".")
        return interval(high=INFINITY)


def _ends(value: object, number: Callable[[object], float]) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError("'between' takes two values: [from, to]")
    low, high = number(value[0]), number(value[1])
    if low > high:
        raise ValueError(f"'between' has its values the wrong way round: {value[0]} comes after {value[1]}")
    return low, high
