"""The JSON Schema of policy files, made from the reader's own table of facts. Editors complete and check by it."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.core.labels import Label, Zone
from gateway.policy.language.ast import UnknownTags
from gateway.policy.language.facts import BUDGETS, FACTS, SHARES, Fact, FactKind, Parameter
from gateway.policy.language.units import example
from gateway.policy.reader.document import ACCEPTED_DOUBTS

Schema = dict[str, Any]
_WORDS: Schema = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_TEXT: Schema = {"type": "string"}


def json_schema() -> Schema:
    """Return the schema (draft 2020-12).

    Names of targets, tags and rules are checked by `aduana check`, not here.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Aduana policy",
        **_object(
            {
                "version": {"const": 1, "description": "Version of the language."},
                "description": {**_TEXT, "description": "What this policy is for."},
                "include": {**_WORDS, "description": "More policy files; this one's rules come first."},
                "rates": {"type": "object", "additionalProperties": {"type": "number", "exclusiveMinimum": 0},
                          "description": "US dollars that one unit of a currency is."},
                "labels": _labels(),
                "tags": {**_WORDS, "description": "Tags that have no label of their own."},
                "unknown_tags": {"enum": list(UnknownTags), "description": "What becomes of a request with a tag that "
                                 "nobody declared; default: sensitive."},
                "let": {"type": "object", "description": "Named conditions and lists.", "additionalProperties": {
                    "anyOf": [{"$ref": "#/$defs/condition"}, {"type": "array", "items": _TEXT}]}},
                "keys": {"type": "object", "additionalProperties": {"$ref": "#/$defs/overlay"},
                         "description": "Rules for single API keys; they come before the general ones."},
                "aliases": {"type": "object", "additionalProperties": {"$ref": "#/$defs/overlay"},
                            "description": "Rules for single model names."},
                "rules": {"type": "array", "items": {"$ref": "#/$defs/rule"}},
                "otherwise": {"$ref": "#/$defs/otherwise"},
                "claims": {"type": "array", "items": {"$ref": "#/$defs/claim"},
                           "description": "Sentences that 'aduana check' proves for every request that could come."},
                "expect": {"type": "array", "items": {"$ref": "#/$defs/expectation"}, "description": "Its tests."},
            },
            required=("version",),
        ),
        "$defs": {
            "label": {"enum": [label.word for label in Label]},
            "condition": _condition(),
            "rule": _rule(),
            "otherwise": _object({"prefer": _targets(), "note": _TEXT}, required=("prefer",)),
            "overlay": _object({
                "default": {"$ref": "#/$defs/label"}, "rules": {"type": "array", "items": {"$ref": "#/$defs/rule"}},
                "otherwise": {"$ref": "#/$defs/otherwise"}, "note": _TEXT,
            }),
            "claim": _claim(),
            "given": _object({
                **{name: _given(fact) for name, fact in FACTS.items() if name not in ("label", "share")},
                "fits": {"type": "object", "additionalProperties": {"type": "boolean"}}, "broken": _WORDS,
                "causes": {**_WORDS, "description": "What alone made earlier turns sensitive, with 'tainted: true'."},
            }),
            "expectation": _object({
                "name": _TEXT, "given": {"$ref": "#/$defs/given"}, "target": _TEXT, "zone": {"enum": list(Zone)},
                "label": {"$ref": "#/$defs/label"}, "rule": _TEXT, "refused": {"type": ["boolean", "string"]},
                "masked": {"type": "boolean"},
            }),
        },
    }  # fmt: skip


def _object(properties: Mapping[str, Schema], required: Sequence[str] = ()) -> Schema:
    found: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**found, "required": list(required)} if required else found


def _targets() -> Schema:
    return {**_WORDS, "description": "Target names in order; 'local', 'cloud' and 'any' stand for all further ones."}


def _labels() -> Schema:
    table: Schema = {"type": "object", "additionalProperties": {"$ref": "#/$defs/label"}}
    return _object({
        "default": {"$ref": "#/$defs/label", "description": "Unlabelled text in which inspection found nothing."},
        "tags": {**table, "description": "The label that a tag asks for."},
        "findings": {**table, "description": "The label of what inspection finds; 'other': of what is not named here."},
        "doubts": {"type": "object", "properties": {kind: {"$ref": "#/$defs/label"} for kind in ACCEPTED_DOUBTS},
                   "additionalProperties": False, "description": "Parts that can't be inspected; default: sensitive."},
    })  # fmt: skip


def _condition() -> Schema:
    part: Schema = {"$ref": "#/$defs/condition"}
    facts = {name: _fact(fact) for name, fact in FACTS.items()}
    logic = {
        "all": {"type": "array", "items": part, "minItems": 1},
        "any": {"type": "array", "items": part, "minItems": 1},
        "not": part,
    }
    return {
        "anyOf": [{**_object({**logic, **facts}), "minProperties": 1}, {**_TEXT, "description": "A name of 'let'."}]
    }


def _fact(fact: Fact) -> Schema:
    value = _value(fact)
    several: Schema = {"anyOf": [value, {"type": "array", "items": value}]}
    between: Schema = {"type": "array", "items": value, "minItems": 2, "maxItems": 2}
    tests: dict[str, Schema]
    match fact.kind:
        case FactKind.NUMBER | FactKind.LABEL:
            tests = {"is": value, "in": several, "over": value, "under": value, "between": between}
        case FactKind.CLOCK:
            tests = {"over": value, "under": value, "between": {**_TEXT, "examples": ["22:00-06:00"]}}
        case FactKind.FLAG:
            tests = {"is": value}
        case FactKind.SET:
            tests = {"is": several, "in": several}
        case FactKind.WORD | FactKind.NAME:
            tests = {"is": several, "in": several, "matches": {**_TEXT, "format": "regex"}}
    plain = {} if fact.parameter_needed else {"anyOf": [several, _object({**tests, **_parameters(fact)}), _TEXT]}
    found: Schema = plain or _object({**tests, **_parameters(fact)}, required=_required(fact))
    return {**found, "description": fact.summary}


def _required(fact: Fact) -> tuple[str, ...]:
    return (fact.parameter.value,) if fact.parameter else ()


def _parameters(fact: Fact) -> dict[str, Schema]:
    if fact.name == "findings":
        number: Schema = {"type": ["object", "number", "string"]}
        return {"category": _TEXT, "count": number, "confidence": number}
    match fact.parameter:
        case Parameter.BUDGET:
            return {"of": {"enum": list(BUDGETS)}}
        case Parameter.SHARE:
            return {"by": {"enum": list(SHARES)}, "salt": _TEXT}
        case Parameter.TARGET | Parameter.HEADER:
            return {fact.parameter.value: _TEXT}
        case None:
            return {}


def _value(fact: Fact) -> Schema:
    match fact.kind:
        case FactKind.NUMBER:
            return {"type": ["number", "string"], "examples": [example(fact.unit)]}
        case FactKind.LABEL:
            return {"$ref": "#/$defs/label"}
        case FactKind.FLAG:
            return {"type": "boolean"}
        case FactKind.CLOCK:
            return {**_TEXT, "examples": ["22:30"]}
        case FactKind.WORD | FactKind.SET if fact.words:
            groups = ["weekend", "workday"] if fact.name == "weekday" else []
            return {"enum": [*fact.words, *groups]}
        case FactKind.WORD | FactKind.NAME | FactKind.SET:
            return {"type": ["string", "number", "boolean"]}


def _given(fact: Fact) -> Schema:
    value = _value(fact)
    if fact.name == "findings":
        return {"anyOf": [_WORDS, {"type": "object"}]}
    if fact.kind is FactKind.SET:
        return _WORDS
    if fact.parameter is not None:
        table: Schema = {"type": "object", "additionalProperties": value}
        return table if fact.parameter_needed else {"anyOf": [value, table]}
    return value


def _rule() -> Schema:
    settings = _object({
        "max_output_tokens": {"type": ["integer", "string"]}, "temperature": {"type": "number"},
        "system_prefix": _TEXT,
    })  # fmt: skip
    return _object(
        {
            "name": {**_TEXT, "description": "Stands on receipts, in the answer's headers and in metrics."},
            "when": {"$ref": "#/$defs/condition"},
            "note": _TEXT,
            "prefer": _targets(),
            "only": {**_WORDS, "description": "No other target may answer, whichever rule chooses."},
            "refuse": {"type": ["string", "boolean"], "description": "The message for the caller."},
            "tag": _WORDS,
            "raise": {"$ref": "#/$defs/label"},
            "mask": {**_WORDS, "description": "Categories that may go to the cloud under pseudonyms; never secrets."},
            "set": settings,
            "priority": {"anyOf": [{"enum": ["low", "normal", "high"]}, {"type": "integer"}]},
            "shadow": {**_TEXT, "description": "A permitted target that is asked too; its answer is only compared."},
        },
        required=("name",),
    )  # fmt: skip


def _claim() -> Schema:
    body = _object({
        "when": {"$ref": "#/$defs/condition"}, "zone": {"enum": list(Zone)}, "target": _TEXT,
        "refused": {"const": True},
    })  # fmt: skip
    found = _object({"never": body, "always": body, "reachable": {**_TEXT, "description": "A rule's name."}})
    return {**found, "minProperties": 1, "maxProperties": 1}
