"""The list of models is whole: each can be pulled and planned for, and the documents tell the same."""

from pathlib import Path

import pytest

from gateway.cli.models.reference import parse
from gateway.engine.llama.cache_size import cache_shape
from gateway.engine.llama.gguf import Header
from gateway.setup.known_models import KnownModel, known_models

KNOWN = known_models()
PAGE = (Path(__file__).parents[2] / "docs" / "pulling.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("model", KNOWN.models, ids=lambda model: model.name)
def test_a_model_is_whole(model: KnownModel) -> None:
    """It has a name to pull it by, a shape of which memory can be computed, and its row on the page."""
    reference = parse(model.reference)
    assert (reference.repository, reference.quantisation) == (model.repository, model.quantisation)
    assert KNOWN.named(model.name.upper()) is model
    shape = cache_shape(Header(metadata=dict(model.shape), tensors=1, size=0, parts=()), "f16", "f16")
    assert 10_000 < shape.position + shape.window_position < 500_000
    assert 0 < model.read_share <= 1
    row = f"| `{model.name}` | [{model.title}]({model.source}) | {model.bytes / 1e9:.1f} GB | {model.cards} | "
    assert f"{row}{model.good_for} | {model.licence} |" in PAGE


def test_the_page_has_the_lists_date() -> None:
    """Who reads the page learns how old the list is."""
    assert f"Put together on {KNOWN.date}" in PAGE
