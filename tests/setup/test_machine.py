"""What is said about the machine: the truth where it is known, and nothing where it is not."""

from pathlib import Path

import pynvml
import pytest

from gateway.setup import machine
from gateway.setup.machine import disk_of, this_machine

GB = 2**30


def device(folder: Path, address: str, *, vendor: str, kind: str = "0x030000", **files: str) -> None:
    """Write one device as the kernel shows it."""
    place = folder / address
    place.mkdir(parents=True)
    for name, text in {"vendor": vendor, "class": kind, **files}.items():
        (place / name).write_text(f"{text}\n")
    (place / "driver").mkdir()


@pytest.fixture
def pci(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The kernel's list of devices, empty."""
    monkeypatch.setattr(machine, "_PCI", tmp_path)
    return tmp_path


def test_this_machine() -> None:
    """Memory, cores and the CPU's instructions are known on Linux."""
    here = this_machine()
    assert here.system == "Linux"
    assert here.ram is not None
    assert here.ram_free is not None
    assert 0 < here.ram_free <= here.ram
    assert here.cpu.cores >= 1
    assert here.cpu.flags


def test_nvidia(pci: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A card whose driver answers has its name, memory and capability; the driver says which CUDA it can run."""
    device(pci, "0000:01:00.0", vendor="0x10de")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    for name, answer in {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlSystemGetDriverVersion": lambda: "570.86.15",
        "nvmlSystemGetCudaDriverVersion_v2": lambda: 12080,
        "nvmlDeviceGetCount": lambda: 1,
        "nvmlDeviceGetHandleByIndex": lambda number: number,
        "nvmlDeviceGetName": lambda _: "NVIDIA GeForce RTX 4090",
        "nvmlDeviceGetUUID": lambda _: "GPU-1",
        "nvmlDeviceGetCudaComputeCapability": lambda _: (8, 9),
        "nvmlDeviceGetMemoryInfo": lambda _: type("Memory", (), {"total": 24 * GB, "free": 20 * GB}),
    }.items():
        monkeypatch.setattr(pynvml, name, answer)
    here = this_machine()
    [gpu] = here.gpus
    assert (gpu.maker, gpu.name, gpu.memory, gpu.free) == ("nvidia", "NVIDIA GeForce RTX 4090", 24 * GB, 20 * GB)
    assert (gpu.capability, here.nvidia_driver, here.cuda) == ("8.9", "570.86.15", "12.8")
    assert here.gpu_memory == 24 * GB
    assert not here.problems


def test_a_card_without_a_driver(pci: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The card is there, can't be used, and what to do is said."""

    def fail() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", fail)
    device(pci, "0000:01:00.0", vendor="0x10de")
    device(pci, "0000:01:00.1", vendor="0x10de", kind="0x040300")  # the card's sound
    here = this_machine()
    [gpu] = here.gpus
    assert not gpu.usable
    assert here.gpu_memory == 0
    assert "nvidia-smi" in here.problems[0]


def test_amd(pci: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's driver tells an AMD card's memory without any package."""

    def fail() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", fail)
    device(
        pci,
        "0000:03:00.0",
        vendor="0x1002",
        product_name="Radeon RX 7900 XTX",
        mem_info_vram_total=str(24 * GB),
        mem_info_vram_used=str(GB),
    )
    [gpu] = this_machine().gpus
    assert (gpu.maker, gpu.name, gpu.memory, gpu.free) == ("amd", "Radeon RX 7900 XTX", 24 * GB, 23 * GB)


def test_disk_of_a_folder_that_is_yet_to_be_made(tmp_path: Path) -> None:
    """The room is that of the nearest folder above it that exists."""
    found = disk_of(tmp_path / "not" / "there")
    assert found is not None
    assert 0 < found.free <= found.total
