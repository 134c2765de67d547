"""AMD cards, over a stand-in for the package `amdsmi`, which only exists where ROCm is installed."""

from types import SimpleNamespace
from typing import Any

import pytest

from gateway.observe.energy.amd import Amd
from gateway.observe.energy.meters import Tick
from gateway.observe.readings import GpuReading


class SmiError(Exception):
    """The package's own exception."""


def driver(powers: list[Any], **changes: Any) -> SimpleNamespace:
    """One card whose socket power is read from a list."""

    def power(card: object) -> dict[str, Any]:
        value = powers.pop(0)
        if isinstance(value, Exception):
            raise value
        return {"current_socket_power": value, "average_socket_power": "N/A"}

    functions: dict[str, Any] = {
        "AmdSmiException": SmiError,
        "AmdSmiTemperatureType": SimpleNamespace(EDGE=0),
        "AmdSmiTemperatureMetric": SimpleNamespace(CURRENT=0),
        "amdsmi_init": lambda: None,
        "amdsmi_shut_down": lambda: None,
        "amdsmi_get_processor_handles": lambda: ["card"],
        "amdsmi_get_power_info": power,
        "amdsmi_get_gpu_activity": lambda card: {"gfx_activity": 75},
        "amdsmi_get_gpu_vram_usage": lambda card: {"vram_used": 1024, "vram_total": 16384},
        "amdsmi_get_temp_metric": lambda card, kind, metric: 58,
    }
    return SimpleNamespace(**(functions | changes))


def test_power_is_integrated_and_load_is_read() -> None:
    """100 W, then 200 W: 200 J and 300 J in two seconds each; a lost reading is unknown, not repeated."""
    meter = Amd(lambda: driver([100, 200, SmiError("lost"), "N/A", 100]))
    assert meter.problem is None
    assert meter.read(2.0, 0.0) == [Tick(device="amd0", source="power", joules=200.0, watts=100.0)]
    assert meter.read(2.0, 0.0) == [Tick(device="amd0", source="power", joules=300.0, watts=150.0)]
    assert meter.gpus() == (
        GpuReading(
            name="amd0",
            power=200.0,
            utilization=0.75,
            memory_used=2**30,
            memory_total=2**34,
            temperature=58.0,
        ),
    )
    assert meter.read(2.0, 0.0) == []
    assert meter.read(2.0, 0.0) == []
    assert meter.read(2.0, 0.0) == [Tick(device="amd0", source="power", joules=200.0, watts=100.0)]
    meter.close()
    assert meter.gpus() == ()


def missing() -> Any:
    raise ImportError("no amdsmi")


def fails() -> None:
    raise SmiError("no driver")


@pytest.mark.parametrize(
    "load",
    [missing, lambda: driver([], amdsmi_init=fails), lambda: driver([], amdsmi_get_processor_handles=list)],
    ids=["no package", "no driver", "no card"],
)
def test_without_a_card_there_is_a_reason_and_nothing_to_read(load: Any) -> None:
    """Without a card the meter says why it has nothing, so that the sampler looks for other meters."""
    meter = Amd(load)
    assert meter.problem
    assert meter.read(1.0, 0.0) == []
    meter.close()


def test_what_a_card_does_not_say_is_unknown() -> None:
    """A question that a card does not answer leaves that one value unknown, and no other."""
    smi = driver(
        ["N/A"],
        amdsmi_get_gpu_activity=lambda card: {"gfx_activity": "N/A"},
        amdsmi_get_gpu_vram_usage=lambda card: (_ for _ in ()).throw(SmiError("no")),
        amdsmi_get_temp_metric=lambda *_: (_ for _ in ()).throw(SmiError("no")),
    )
    meter = Amd(lambda: smi)
    assert meter.read(1.0, 0.0) == []
    assert meter.gpus() == (GpuReading(name="amd0"),)
