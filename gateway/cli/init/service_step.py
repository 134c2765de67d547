"""The step of the wizard that makes the gateway a service, where there is systemd and somebody wants it."""

import argparse
import http.client
import os
import shlex
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec
from rich.console import Console

from gateway.cli.init.configuration import Choices
from gateway.cli.init.questions import Answers
from gateway.cli.init.service import (
    SYSTEM_STATE,
    Service,
    hidden_from_system,
    program,
    start,
    system_service,
    systemd_answers,
    user_service,
)
from gateway.core.errors import AduanaError
from gateway.core.translation import Translator
from gateway.settings import DEFAULT_FILE

SECRETS = "aduana.env"
_SECONDS = 60.0  # for a service to listen


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: the service answers, or it was wanted and does not. Neither: there is none."""

    running: bool = False
    failed: bool = False


class ServiceStep:
    """Questions about a service, and its start. `folder`, `state_dir`: those of a service of the whole machine."""

    def __init__(
        self, args: argparse.Namespace, environ: Mapping[str, str], console: Console, tell: Translator
    ) -> None:
        """Look whether the wanted service can be had.

        Raises:
            AduanaError: It can't.
        """
        self._wanted = args.service
        self._never = args.no_service or (args.yes and not args.service)
        self._environ, self._console, self._tell = environ, console, tell
        system = args.service == "system"
        self.folder = Path("/etc/aduana") if system else None
        self.state_dir = SYSTEM_STATE if system else None
        if system and os.geteuid() != 0:
            raise AduanaError(tell("A service of the whole machine needs root: sudo aduana init --service system"))

    def refuse_unfit(self, folder: Path, choices: Choices) -> None:
        """Refuse a service of the whole machine that could not see its own files, or could not reach what was chosen.

        Raises:
            AduanaError: It is such a service.
        """
        if self._wanted != "system":
            return
        if choices.clouds or choices.network is not None:
            raise AduanaError(
                self._tell(
                    "The service of the whole machine talks to this machine alone. Set it up without a cloud and other "
                    "devices; the handbook says how to open it ('aduana files deploy' copies it)."
                )
            )
        needed = [Path(program()[0]), Path(sys.executable), folder]
        for candidate in choices.models:
            needed += candidate.found.parts if candidate.found else ()
            needed += [Path(candidate.model)] if candidate.model.startswith("/") else []
        hidden = hidden_from_system(needed)
        if hidden:
            raise AduanaError(
                self._tell(
                    "A service of the whole machine can't see {paths}: homes are hidden from it. Put it below /opt or "
                    "/var/lib/aduana, or use --service user.",
                    paths=", ".join(map(str, dict.fromkeys(hidden))),
                )
            )

    def offer(self, folder: Path, choices: Choices, answers: Answers, *, engine: bool) -> Outcome:
        """Ask, install and start; say the command where it can't be done here."""
        if self._never:
            return Outcome()
        if not engine and any(candidate.kind != "server" for candidate in choices.models):
            return self._not_yet() if self._wanted else Outcome()
        if not systemd_answers(user=self._wanted != "system"):
            return self._no_systemd(folder)
        question = self._tell("Start it now and whenever you log in, as a service of systemd?")
        if not self._wanted and not answers.whether(question, default=True):
            return Outcome()
        service = self._service(folder, choices)
        if choices.clouds and not (folder / SECRETS).exists():
            return self._wants_secrets(service, folder, choices)
        return self._start(service, choices)

    def _service(self, folder: Path, choices: Choices) -> Service:
        config = folder / DEFAULT_FILE
        if self._wanted == "system":
            return system_service(program(), config, folder / choices.policy_file)
        return user_service(program(), config, self._environ, folder / SECRETS if choices.clouds else None)

    def _start(self, service: Service, choices: Choices) -> Outcome:
        problem = start(service, self._tell)
        if not problem and not _listens(choices.port):
            problem = self._tell("it does not answer yet")
        if problem:
            self._say(self._tell("The service did not start:"))
            self._say(f"  {problem}")
            self._say(self._tell("What it says:  {command}", command=service.log))
            return Outcome(failed=True)
        self._say(self._tell("The service runs. What it says:  {command}", command=service.log))
        if self._wanted != "system":
            self._say(self._tell("It ends when you log out; to keep it:  {command}", command="loginctl enable-linger"))
        return Outcome(running=True)

    def _wants_secrets(self, service: Service, folder: Path, choices: Choices) -> Outcome:
        """Write the unit, and say how the keys get to it: it does not see the variables of this terminal."""
        problem = start(msgspec.structs.replace(service, commands=service.commands[:1]), self._tell)
        if problem:
            self._say(self._tell("The service did not start:"))
            self._say(f"  {problem}")
            return Outcome(failed=True)
        self._say(
            self._tell(
                "The service is installed. It does not see this terminal's variables, so first put the keys into a "
                "file that only you can read:"
            )
        )
        place = shlex.quote(str(folder / SECRETS))
        for key in choices.clouds:
            name = key.variable
            self._say(f'  (umask 077; echo "{name}=${name}" >> {place})')
        self._say(self._tell("Then start it:"))
        for command in service.commands[1:]:
            self._say(f"  {shlex.join(command)}")
        return Outcome()

    def _no_systemd(self, folder: Path) -> Outcome:
        command = shlex.join([*program(), "serve", "--config", str(folder / DEFAULT_FILE)])
        self._say(
            self._tell("There is no systemd for you here, so no service. Whatever starts your programs can run this:")
        )
        self._say(f"  {command}")
        return Outcome(failed=bool(self._wanted))

    def _not_yet(self) -> Outcome:
        self._say(self._tell("No service yet: it would have no engine."))
        return Outcome(failed=True)

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=text.startswith("  "))


def _listens(port: int) -> bool:
    """Wait until the gateway answers at all; models may still be loading then."""
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        asking = http.client.HTTPConnection("127.0.0.1", port, timeout=2)  # never through a proxy of the environment
        try:
            asking.request("GET", "/healthz")
            return asking.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            time.sleep(0.3)
        finally:
            asking.close()
    return False
