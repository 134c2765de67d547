"""The gateway as a service: the text of a unit for systemd, and the commands that start it.

For a person's own session there is a plain unit; for the whole machine the fenced one of the handbook (`deploy/`).
"""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from gateway.core.translation import Translator
from gateway.shipped import folder

NAME = "aduana.service"
SYSTEM_STATE = Path("/var/lib/aduana")
_HIDDEN = (Path("/home"), Path("/root"), Path("/run/user"))  # from services of the system (ProtectHome=)
_SECONDS = 330.0  # systemd itself waits for five minutes until a service has started


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """Files of a service, by their place, and the commands that start it, in order."""

    files: Mapping[Path, str]
    commands: tuple[tuple[str, ...], ...]
    log: str  # the command that shows what it says


def systemd_answers(*, user: bool) -> bool:
    """Say whether systemd runs here, and takes commands from this user."""
    if shutil.which("systemctl") is None:
        return False
    done = _run(["systemctl", *(["--user"] if user else []), "show-environment"])
    return done is not None and done.returncode == 0


def user_service(program: Sequence[str], config: Path, environ: Mapping[str, str], secrets: Path | None) -> Service:
    """Return the service of one person's session. `secrets`: a file of variables, such as clouds' keys."""
    place = Path(environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME") or "~").expanduser() / ".config")
    text = _with_command(_shipped("aduana.user.service"), program, config)
    if secrets is not None:
        text = text.replace("#EnvironmentFile=", f"EnvironmentFile=-{_doubled(str(secrets))}", 1)  # takes no quotes
    return Service(
        files={place / "systemd" / "user" / NAME: text},
        commands=(
            ("systemctl", "--user", "daemon-reload"),
            ("systemctl", "--user", "enable", "--now", NAME),
        ),
        log=f"journalctl --user -u {NAME} -f",
    )


def system_service(program: Sequence[str], config: Path, policy: Path) -> Service:
    """Return the service of the whole machine, with its user and its fence. That user may read these two files."""
    text = _with_command(_shipped(NAME), program, config)
    text = re.sub(r"^(LoadCredential=apps-key:)", r"#\1", text, flags=re.MULTILINE)  # there are no keys yet
    return Service(
        files={
            Path("/etc/systemd/system") / NAME: text,
            Path("/etc/sysusers.d/aduana.conf"): _shipped("aduana.sysusers"),
        },
        commands=(
            ("systemd-sysusers",),
            ("install", "-d", "-o", "aduana", "-g", "aduana", "-m", "0700", str(SYSTEM_STATE)),
            ("chown", "-R", "aduana:aduana", str(SYSTEM_STATE)),
            ("chmod", "a+rx", str(config.parent)),
            ("chmod", "a+r", str(config), str(policy)),
            ("systemctl", "daemon-reload"),
            ("systemctl", "enable", "--now", NAME),
        ),
        log=f"journalctl -u {NAME} -f",
    )


def hidden_from_system(paths: Sequence[Path]) -> list[Path]:
    """Return those of these paths that a service of the system can't see, where they lie or where their links lead."""
    return [path for path in paths if any(_below(path, place) for place in _HIDDEN)]


def program() -> tuple[str, ...]:
    """Return the words that run this `aduana` again, from anywhere."""
    called = Path(sys.argv[0])
    if called.name == "aduana" and (found := shutil.which(str(called))):
        return (str(Path(found).absolute()),)
    return (sys.executable, "-m", "gateway")


def start(service: Service, tell: Translator) -> str:
    """Write the files and run the commands; return what went wrong first, and nothing where all went well.

    A file of somebody else is left as it is, and no command is run then.
    """
    try:
        for path, text in service.files.items():
            if path.exists() and path.read_text(encoding="utf-8", errors="replace") != text:
                return tell("{path} is there already, and another one. Move it away, then try again.", path=path)
        for path, text in service.files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    for command in service.commands:
        done = _run(command)
        if done is None or done.returncode != 0:
            said = "" if done is None else (done.stderr or done.stdout).strip().splitlines()[-1:]
            return f"{shlex.join(command)}: {''.join(said) or 'failed'}"
    return ""


def _below(path: Path, place: Path) -> bool:
    return path.is_relative_to(place) or path.resolve().is_relative_to(place)


def _shipped(name: str) -> str:
    return (folder("deploy") / name).read_text(encoding="utf-8")


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None


def _with_command(text: str, program: Sequence[str], config: Path) -> str:
    words = " ".join(_escaped(word) for word in (*program, "serve", "--config", str(config)))
    return re.sub(r"^ExecStart=.*$", lambda _: f"ExecStart={words}", text, flags=re.MULTILINE)


def _escaped(word: str) -> str:
    """Return a word as systemd reads it back: specifiers and variables doubled, in quotes where it has blanks."""
    word = _doubled(word).replace("$", "$$")
    if re.fullmatch(r"[^\s\"'\\;]+", word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _doubled(word: str) -> str:
    return word.replace("%", "%%")
