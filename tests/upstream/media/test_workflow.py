"""What stands in the places of a workflow: what its owner wrote around them stays as it is."""

import pytest

from gateway.core.document import Json, freeze_object
from gateway.upstream.media.workflow import filled, values_of

WORKFLOW = {
    "3": {"class_type": "KSampler", "inputs": {"text": "{prompt}", "steps": "{steps:12}", "cfg": "{cfg_scale}"}}
}


def inputs(**fields: Json) -> dict[str, Json]:
    """Return what the one node of the workflow is given for a request with these fields."""
    document = freeze_object({"prompt": "A harbour", **fields})
    node = filled("painter", freeze_object(WORKFLOW), document, values_of(document, seed=1))["3"]
    return dict(node["inputs"])  # type: ignore[index,call-overload]


def test_places_take_what_a_request_says() -> None:
    """Numbers as numbers; where it says nothing, what stands in the place."""
    assert inputs(cfg_scale=3.5) == {"text": "A harbour", "steps": 12, "cfg": 3.5}
    assert inputs(steps=4) == {"text": "A harbour", "steps": 4, "cfg": 7.0}


@pytest.mark.parametrize("value", [["9", 0], {"a": "b"}])
def test_a_request_changes_no_links(value: Json) -> None:
    """A list in a node's inputs is a link to another node, so nothing but texts and numbers is put in."""
    assert inputs(steps=value, cfg_scale=value) == {"text": "A harbour", "steps": 12, "cfg": 7.0}


def test_what_is_put_in_is_not_filled_again() -> None:
    """A prompt that looks like a place is a prompt."""
    assert inputs(prompt="{negative_prompt}")["text"] == "{negative_prompt}"
