"""Every sentence of the console is there in Spanish, and no sentence is there that nobody says."""

import ast
import re
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from gateway.console.pages import MENU
from gateway.console.spanish import ELSEWHERE, SPANISH
from gateway.console.words import Words
from gateway.core.labels import Label, Zone
from gateway.core.limits import Scope
from gateway.core.record import Outcome
from gateway.policy.evaluation.explanation import REASONS

ROOT = Path(__file__).resolve().parents[2] / "gateway"
SOURCES = [*(ROOT / "console").rglob("*.py"), ROOT / "app" / "console.py"]
TEMPLATES = sorted((ROOT / "console" / "templates").glob("*.html"))
CHOSEN = {  # said by `t(word)` of data
    *(label.word for label in Label),
    *(zone.value for zone in Zone),
    *(outcome.value for outcome in Outcome),
    *("tag", "assigned_tag", "unknown_tag", "detector", "taint", "rule", "default"),
    *("otherwise", "only_permitted", "refused", "yes", "no"),
    *(scope.value for scope in Scope),
    *("requests a minute", "tokens a minute", "tokens a day", "requests at once"),
    *("loaded", "loading", "unloading", "unloaded", "failed"),  # states of models
}


def in_templates() -> set[str]:
    """Return the sentences that templates say."""
    found: set[str] = set()
    for file in TEMPLATES:
        tree = Environment(autoescape=True).parse(file.read_text(encoding="utf-8"))
        for call in tree.find_all(nodes.Call):
            name = call.node.name if isinstance(call.node, nodes.Name) else getattr(call.node, "attr", "")
            if name in ("t", "say") and call.args:
                found |= {one.value for one in _constants(call.args[0])}
    return found


def _constants(node: nodes.Node) -> list[nodes.Const]:
    if isinstance(node, nodes.Const):
        return [node]
    if isinstance(node, nodes.CondExpr):
        return [*_constants(node.expr1), *(_constants(node.expr2) if node.expr2 is not None else [])]
    return []


def in_code() -> set[str]:
    """Return the sentences that code says, and the titles of pages."""
    found = {title for _, title in MENU}
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name == "say" and node.args and isinstance(node.args[0], ast.Constant):
                found.add(node.args[0].value)
            wanted = ("title", "advice", *(("name",) if name == "Line" else ()))
            for word in node.keywords:
                if word.arg in wanted:
                    found |= {one.value for one in ast.walk(word.value) if _is_sentence(one)}
    return found


def _is_sentence(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(node.value)


def test_every_sentence_is_translated() -> None:
    """What the templates and the code say has a Spanish sentence, and each of those is said somewhere."""
    said = in_templates() | in_code() | CHOSEN
    assert len(said) > 100
    assert sorted(said - SPANISH.keys()) == []
    assert sorted(SPANISH.keys() - said) == []


@pytest.mark.parametrize(("sentence", "translation"), [*SPANISH.items(), *ELSEWHERE.items()])
def test_a_translation_has_the_same_places(sentence: str, translation: str) -> None:
    """Names and numbers stand in both languages, and a sentence ends as its translation does."""
    assert sorted(re.findall(r"\{\w+\}", sentence)) == sorted(re.findall(r"\{\w+\}", translation))
    assert sentence.endswith((".", "?")) == translation.endswith((".", "?"))


@pytest.mark.parametrize("sentence", REASONS.values())
def test_why_a_target_was_left_out_is_told_in_spanish(sentence: str) -> None:
    """The reasons of other rooms are known here; a new one without a translation is seen."""
    assert Words("es", currency="EUR", rate=1).tell(sentence) != sentence


def test_sentences_with_names_in_them_are_told_in_spanish() -> None:
    """A sentence made elsewhere is found with its names and numbers; an unknown one stays as it is."""
    words = Words("es", currency="EUR", rate=1)
    assert words.tell("applied: only home; chose the order of targets") == (
        "aplicó: only home; eligió el orden de los destinos"
    )
    assert words.tell("Something else entirely.") == "Something else entirely."
    assert Words("en", currency="EUR", rate=1).tell("not matched") == "not matched"
