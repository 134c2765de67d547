"""What is said of a build that was tried: one that works, one that does not, one that leaves the card alone."""

import pytest

from gateway.cli.engine.show import lines, verdict
from gateway.setup.engine_builds import Backend
from gateway.setup.engine_check import Device, EngineCheck
from gateway.setup.machine import Gpu, Machine

CARD = Machine(system="Linux", processor="x86_64", gpus=(Gpu(maker="nvidia", name="RTX"),))
BARE = Machine(system="Linux", processor="x86_64")
CPU = EngineCheck(version="0.3.36", works=True, devices=(Device(name="CPU"),))
CUDA = EngineCheck(version="0.3.36", works=True, gpu=True, devices=(Device(name="CUDA0", type="gpu", memory=24 << 30),))


@pytest.mark.parametrize(
    ("found", "machine", "wanted", "word"),
    [
        (CPU, BARE, None, ""),
        (CPU, BARE, "cpu", ""),
        (CUDA, CARD, "cuda", ""),
        (CPU, CARD, "cpu", ""),  # wanted so
        (CPU, CARD, None, "does not use it: 'aduana engine install'"),
        (CPU, CARD, "cuda", "it sees no card"),
    ],
)
def test_the_verdict(found: EngineCheck, machine: Machine, wanted: Backend | None, word: str) -> None:
    """A card that lies idle is told, once, and never where a person wanted it so."""
    said = verdict(found, machine, wanted)
    assert said[0].startswith("  ok")
    assert len(said) == (2 if word else 1)
    assert word in said[-1]


def test_what_is_installed_is_shown() -> None:
    """Version, cards with their memory, and the crash with repacked weights that the engine lives with."""
    text = "\n".join(
        lines(EngineCheck(version="0.3.36", works=True, repack=False, devices=CUDA.devices, gpu=True), CARD)
    )
    assert "0.3.36" in text
    assert "CUDA0" in text
    assert "24.0 GiB" in text
    assert "repacked" in text


def test_nothing_installed_is_one_sentence() -> None:
    """Without an engine the command to install it is all that is said."""
    assert lines(EngineCheck(problem="The engine is not installed: 'aduana engine install'."), BARE) == [
        "The engine is not installed: 'aduana engine install'."
    ]
