"""The hardware of this machine: graphics cards with their drivers, memory, the CPU's instructions, room on disks.

Nothing is started on a card, and nothing is asked of a network. What can't be known is None or empty.
"""

import ctypes
import os
import platform
import re
import shutil
from pathlib import Path

import msgspec

from gateway.engine.llama.memory import available_memory, total_memory
from gateway.engine.llama.nvidia import nvidia_cards

_MAKERS = {"0x10de": "nvidia", "0x1002": "amd", "0x8086": "intel"}
_DISPLAY = "0x03"  # PCI class of display controllers
_PCI = Path("/sys/bus/pci/devices")
_ICD_FOLDERS = ("/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d")


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    """One graphics card. Memory in bytes; None: unknown, or it shares the machine's RAM."""

    maker: str  # nvidia, amd, intel or apple
    name: str = ""
    memory: int | None = None
    free: int | None = None
    capability: str = ""  # NVIDIA's compute capability, such as 8.9
    usable: bool = True  # False: its driver does not answer


class Cpu(msgspec.Struct, frozen=True, kw_only=True):
    """The processor. `cores`: those that this process may use."""

    name: str = ""
    cores: int = 1
    flags: frozenset[str] = frozenset()  # as the kernel names them, such as avx2


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """Room on the disk of a folder, in bytes."""

    folder: Path
    total: int
    free: int


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a machine that decides which engine it can run and which models fit. Memory in bytes."""

    system: str  # Linux, Darwin or Windows
    processor: str  # x86_64, arm64 or aarch64 …
    gpus: tuple[Gpu, ...] = ()
    nvidia_driver: str = ""
    cuda: str = ""  # the newest CUDA that the driver can run, such as 12.8
    vulkan: bool = False  # its loader and a driver are installed
    rocm: str = ""  # version of AMD's ROCm
    ram: int | None = None
    ram_free: int | None = None
    cpu: Cpu = Cpu()
    problems: tuple[str, ...] = ()  # what keeps a card from being used, in sentences

    @property
    def gpu_memory(self) -> int:
        """Return the memory of all cards that answer."""
        return sum(gpu.memory or 0 for gpu in self.gpus if gpu.usable)


def this_machine() -> Machine:
    """Look at the hardware that this process may use."""
    system, processor = platform.system(), platform.machine()
    found = nvidia_cards(os.environ.get("CUDA_VISIBLE_DEVICES"))
    nvidia = [
        Gpu(maker="nvidia", name=card.name, memory=card.total, free=card.free, capability=card.capability)
        for card in found.cards
    ]
    others = _pci_cards(_PCI)
    problems = []
    mute = [gpu for gpu in others if gpu.maker == "nvidia"]
    if mute and not found.driver:
        problems.append(
            f"There is an NVIDIA card, and its driver does not answer ({found.problem or 'no reason given'}). Install "
            "the driver, or load it ('nvidia-smi' must list the card); in a container, start it with '--gpus all'."
        )
        nvidia = [msgspec.structs.replace(gpu, usable=False) for gpu in mute]
    gpus = [*nvidia, *(gpu for gpu in others if gpu.maker != "nvidia")]
    if system == "Darwin" and processor == "arm64":
        gpus.append(Gpu(maker="apple", name="Apple GPU (Metal)"))
    return Machine(
        system=system,
        processor=processor,
        gpus=tuple(gpus),
        nvidia_driver=found.driver,
        cuda=found.cuda,
        vulkan=_vulkan(),
        rocm=_text(Path("/opt/rocm/.info/version")).partition("-")[0],
        ram=total_memory() or _physical(),
        ram_free=available_memory(),
        cpu=_cpu(),
        problems=tuple(problems),
    )


def disk_of(folder: Path) -> Disk | None:
    """Return the room where a folder is, or will be made. None: nobody knows."""
    for place in (folder, *folder.parents):
        try:
            usage = shutil.disk_usage(place)
        except OSError:
            continue
        return Disk(folder=folder, total=usage.total, free=usage.free)
    return None


def _pci_cards(devices: Path) -> list[Gpu]:
    """Return the graphics cards that the kernel sees, with memory where amdgpu tells it. Linux."""
    cards = []
    for device in sorted(devices.glob("*")):
        maker = _MAKERS.get(_text(device / "vendor"))
        if maker is None or not _text(device / "class").startswith(_DISPLAY):
            continue
        total, used = _number(device / "mem_info_vram_total"), _number(device / "mem_info_vram_used")
        cards.append(
            Gpu(
                maker=maker,
                name=_text(device / "product_name") or f"{maker.upper() if maker == 'amd' else maker.title()} GPU",
                memory=total,
                free=None if total is None or used is None else max(0, total - used),
                usable=(device / "driver").exists(),
            )
        )
    return cards


def _cpu() -> Cpu:
    text = _text(Path("/proc/cpuinfo"))
    name = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", text, re.MULTILINE)
    return Cpu(
        name=name[1].strip() if name else platform.processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        flags=frozenset(flags[1].split()) if flags else frozenset(),
    )


def _vulkan() -> bool:
    """Say whether Vulkan's loader and at least one driver are installed. Loads no driver."""
    drivers = [*_ICD_FOLDERS, str(Path("~/.local/share/vulkan/icd.d").expanduser())]
    named = os.environ.get("VK_DRIVER_FILES") or os.environ.get("VK_ICD_FILENAMES")
    if not named and not any(next(Path(folder).glob("*.json"), None) for folder in drivers):
        return False
    try:
        ctypes.CDLL("libvulkan.so.1")
    except OSError:
        return False
    return True


def _physical() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _number(file: Path) -> int | None:
    text = _text(file)
    return int(text) if text.isdigit() else None
