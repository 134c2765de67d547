"""From pydantic's validation errors to sentences with file, line, column and a suggestion."""

import os
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from gateway.core.yaml_source import Path, Source, known_names, suggest

_EACH_KIND = ("embedded", "server", "openai", "anthropic", "gemini", "speech", "espeak")
_KINDS = f"{', '.join(_EACH_KIND[:-1])} or {_EACH_KIND[-1]}"
ELSEWHERE = "elsewhere"  # an error of the whole whose context has its `place`
_SECTION = "settings belong below it, each as 'name: value'; without any, leave the line out"
_LIST = "write a list, as [one, two]"
# What pydantic says in words of Python.
_SHAPES = {
    "dict_type": _SECTION,
    "model_type": _SECTION,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "frozen_set_type": _LIST,
    "set_type": _LIST,
}


def explain_errors(error: ValidationError, source: Source, model: type[BaseModel]) -> tuple[str, ...]:
    """Return one sentence for each problem. Values are never repeated: one of them may be a secret."""
    return tuple(
        _sentence(
            item["ctx"]["place"] if item["type"] == ELSEWHERE else item["loc"], item["type"], item["msg"], source, model
        )
        for item in error.errors()
    )


def _sentence(loc: tuple[int | str, ...], kind: str, message: str, source: Source, model: type[BaseModel]) -> str:
    path = _in_file(loc, source)
    dotted = ".".join(str(part) for part in path)
    place = _place(path, source)
    if kind == "extra_forbidden":
        known = _fields_at(model, loc[:-1])
        word = str(path[-1])
        return f"{place}: {dotted!r} is not a setting.{suggest(word, known)}{known_names(word, known)}"
    if kind == "missing":
        return f"{place}: {dotted!r} is missing; it is required here."
    if kind == "union_tag_not_found":
        return f"{place}: {dotted!r} needs a 'kind': {_KINDS}."
    if kind == "union_tag_invalid":
        return f"{place}: {dotted}.kind is not known; use {_KINDS}."
    if kind == "string_pattern_mismatch":
        return f"{place}: {dotted}: {_pattern_hint(path)}."
    reason = _SHAPES.get(kind, message.removeprefix("Value error, "))
    reason = reason[0].lower() + reason[1:]
    return f"{place}: {dotted or 'configuration'}: {reason}."


def _pattern_hint(path: Path) -> str:
    if path and path[-1] == "base_url":
        return "write it as http(s)://host[:port]/path, without user name or password"
    if path and path[-1] == "health":
        return "write a path that begins with '/'"
    if len(path) > 1 and path[-2] == "env":
        return "a variable's name has letters, digits and '_', and no digit first"
    if path and path[-1] == "currency":
        return "write three capital letters, as in EUR"
    return "a name has lower-case letters, digits, '.', '_' and '-', and starts with a letter or digit"


def _in_file(loc: tuple[int | str, ...], source: Source) -> Path:
    """Return where something stands in the file: without the kind of target, which pydantic adds."""
    if len(loc) > 2 and loc[0] == "targets" and loc[2] in _EACH_KIND:
        loc = (*loc[:2], *loc[3:])
    return tuple(part for part in loc if part != "[key]")


def _place(path: Path, source: Source) -> str:
    variable = "ADUANA_" + "__".join(str(part).upper() for part in path)
    if path and (variable in os.environ or path[:1] not in source.positions):
        return f"environment variable {variable}"
    return str(source.where(path)) if source.file else "configuration"


def _fields_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> set[str]:
    """Return the settings that are known at `loc`, which is pydantic's location: with the kind of target."""
    models: list[type[BaseModel]] = [model]
    for part in loc:
        tagged = [m for m in models if "kind" in m.model_fields and part in get_args(m.model_fields["kind"].annotation)]
        found = [
            inner
            for candidate in models
            if str(part) in candidate.model_fields
            for inner in _models_in(candidate.model_fields[str(part)].annotation)
        ]
        models = tagged or found or models  # a mapping's own key (a target's name) keeps the models of its values
    return {name for candidate in models for name in candidate.model_fields}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (dict, Union, UnionType, Annotated, tuple):
        return [model for argument in get_args(annotation) for model in _models_in(argument)]
    return []
