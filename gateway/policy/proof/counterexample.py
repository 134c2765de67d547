"""Counterexamples: a solver's model as a made-up request that a person can read and that `decide` can check."""

from collections.abc import Mapping

import z3

from gateway.core.target import Catalog
from gateway.policy.language.ast import Given
from gateway.policy.language.conditions import FactRef, FactValue, regex
from gateway.policy.language.facts import FACTS, FactKind
from gateway.policy.proof.variables import OTHER, SolverVariables
from gateway.policy.reader.expectations import EVERY_LOCAL

_PLAIN_FIRST = frozenset({"key", "alias", "dialect", "endpoint", "response_format", "attachments_read"})
_UNKNOWN_TAG = "a-tag-that-nobody-declared"
_SAMPLES = ("", "x", "0", "other", "a@b.example", "2026-01-01")


def given_of(model: z3.ModelRef, variables: SolverVariables, catalog: Catalog) -> Given:
    """Return the request that a model describes. What the model leaves at its plainest is left out."""
    facts: list[tuple[str, str, FactValue]] = []
    for ref in sorted(variables.words):
        value = _word(model, variables, ref)
        if value is not None and _known(model, variables, ref):
            facts.append((ref.name, ref.of, value))
    for ref in sorted(variables.flags):
        yes = _true(model, variables.flags[ref])
        if _known(model, variables, ref) and (yes or ref in variables.known):
            facts.append((ref.name, ref.of, yes))
    for ref in sorted(variables.numbers):
        if ref.name in FACTS and ref.name != "share" and _known(model, variables, ref):
            facts.append((ref.name, ref.of, _number(model, variables.numbers[ref])))
    tags = frozenset(tag for tag, variable in variables.tags.items() if _true(model, variable))
    doubts = frozenset(name if name != OTHER else "time" for name, variable in variables.doubts.items()
                       if _true(model, variable))  # fmt: skip
    rest = next((kind for kind in FACTS["attachment_kinds"].words if kind not in variables.kinds), "")
    kinds = frozenset(rest if name == OTHER else name for name, variable in variables.kinds.items()
                      if _true(model, variable))  # fmt: skip
    if _true(model, variables.unknown_tag):
        tags |= {_UNKNOWN_TAG}
    if tags:
        facts.append(("tags", "", tags))
    if doubts:
        facts.append(("doubts", "", doubts))
    if kinds:
        facts.append(("attachment_kinds", "", kinds))
    return Given(
        facts=tuple(facts),
        findings=_findings(model, variables),
        fits=_fits(model, variables, catalog),
        broken=tuple(name for name, variable in variables.broken.items() if _true(model, variable)),
        causes=tuple(name for name, variable in variables.causes.items() if _true(model, variable) and name != OTHER),
    )


def case_of(given: Given) -> dict[str, object]:
    """Return the request as a document that `aduana explain` reads (JSON, and so YAML)."""
    found: dict[str, object] = {}
    several = {name for name, of, _ in given.facts if of}
    for name, of, value in given.facts:
        shown: object = sorted(value) if isinstance(value, frozenset) else value
        if FACTS[name].kind is FactKind.CLOCK and isinstance(value, int | float):
            shown = f"{int(value) // 60:02}:{int(value) % 60:02}"
        if name in several:
            entry = found.setdefault(name, {})
            assert isinstance(entry, dict)
            entry[of or EVERY_LOCAL] = shown
        else:
            found[name] = shown
    if given.findings:
        plain = all(count == 1 and confidence == 1.0 for _, count, confidence in given.findings)
        found["findings"] = (
            [category for category, _, _ in given.findings]
            if plain
            else {category: [count, confidence] for category, count, confidence in given.findings}
        )
    if given.fits:
        found["fits"] = dict(given.fits)
    if given.causes:
        found["causes"] = list(given.causes)
    if given.broken:
        found["broken"] = list(given.broken)
    return {"given": found}


def in_words(case: Mapping[str, object]) -> str:
    """Return a made-up request (of `case_of`) as people say it: `alias auto; tags health, public`."""
    given = case["given"]
    assert isinstance(given, Mapping)
    return "; ".join(f"{name.replace('_', ' ')} {_listed(value)}" for name, value in given.items()) or "nothing special"


def _listed(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return ", ".join(f"{name}: {_listed(item)}" for name, item in value.items())
        case list() | tuple():
            return ", ".join(map(str, value)) or "none"
        case _:
            return str(value)


def _true(model: z3.ModelRef, variable: z3.BoolRef) -> bool:
    return bool(z3.is_true(model.eval(variable, model_completion=True)))


def _known(model: z3.ModelRef, variables: SolverVariables, ref: FactRef) -> bool:
    return ref not in variables.known or _true(model, variables.known[ref])


def _number(model: z3.ModelRef, variable: z3.ArithRef) -> float | int:
    value = model.eval(variable, model_completion=True)
    if z3.is_int_value(value):
        return int(value.as_long())
    fraction = value.as_fraction()
    return float(fraction)


def _word(model: z3.ModelRef, variables: SolverVariables, ref: FactRef) -> str | None:
    position = model.eval(variables.words[ref], model_completion=True).as_long()
    word = variables.vocabulary[ref][position]
    wanted = {
        pattern: _true(model, variable) for (fact, pattern), variable in variables.patterns.items() if fact == ref
    }
    if word != OTHER:
        plain = position == 0 and ref.name in _PLAIN_FIRST
        return None if plain and ref.name != "alias" else word
    if not wanted:
        return None if ref.name in ("header", "user", "model") and ref not in variables.known else "other"
    known = set(variables.vocabulary[ref])
    for sample in (*_SAMPLES, *(_literal(pattern) for pattern in wanted)):
        fits = all((regex(pattern).search(sample) is not None) is hit for pattern, hit in wanted.items())
        if fits and sample not in known:
            return sample
    return "other"


def _literal(pattern: str) -> str:
    """Return what a simple pattern looks for: without anchors and escapes."""
    return pattern.removeprefix("(?i)").strip("^$").replace(".*", "").replace("\\b", "").replace("\\", "")


def _findings(model: z3.ModelRef, variables: SolverVariables) -> tuple[tuple[str, int, float], ...]:
    found: dict[str, tuple[int, float]] = {}
    for name, variable in variables.leaves.items():
        if _true(model, variable):
            found["unlisted" if name == OTHER else name] = (1, 1.0)
    for ref, variable in variables.numbers.items():
        if not ref.name.startswith("finding_"):
            continue
        value = _number(model, variable)
        leaf = next((name for name in found if name == ref.of or name.startswith(ref.of + ".")), None)
        if leaf is not None:
            count, confidence = found[leaf]
            found[leaf] = (int(value), confidence) if ref.name == "finding_count" else (count, float(value))
    return tuple((name, count, confidence) for name, (count, confidence) in found.items())


def _fits(model: z3.ModelRef, variables: SolverVariables, catalog: Catalog) -> tuple[tuple[str, bool], ...]:
    """Return whether the prompt fits, for those targets where that differs from what the estimate says."""
    return tuple((name, False) for name, variable in variables.fits.items()
                 if catalog.targets[name].context is not None and not _true(model, variable))  # fmt: skip
