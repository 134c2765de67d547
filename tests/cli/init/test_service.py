"""The gateway as a service of systemd: the units are understood, and what they start is the gateway that was set up."""

import asyncio
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from gateway.cli.init.service import NAME, hidden_from_system, system_service, user_service
from tests.cli.init.servers import StandInOllama
from tests.cli.init.terminal import ROOT, command, environment

# Keeps what it was asked, fails where it is told to, and starts what the unit says in place of systemd.
SYSTEMCTL = """#!{python}
import os, pathlib, shlex, subprocess, sys
here = pathlib.Path(__file__).parent
with (here / "asked").open("a") as file:
    file.write(" ".join(sys.argv[1:]) + "\\n")
if "enable" in sys.argv:
    if (here / "broken").exists():
        sys.exit("Unit is masked.")
    unit = (pathlib.Path(os.environ["HOME"]) / ".config/systemd/user" / sys.argv[-1]).read_text()
    words = next(line for line in unit.splitlines() if line.startswith("ExecStart=")).removeprefix("ExecStart=")
    log = (here / "log").open("w")
    started = subprocess.Popen(shlex.split(words), stdout=log, stderr=log, start_new_session=True)
    (here / "pid").write_text(str(started.pid))
"""


@pytest.fixture
def systemd(tmp_path):
    """Return a folder with a systemctl that plays its part; what it started is ended afterwards."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "systemctl"
    program.write_text(SYSTEMCTL.format(python=sys.executable))
    program.chmod(0o755)
    yield folder
    if (folder / "pid").exists():
        os.killpg(int((folder / "pid").read_text()), signal.SIGTERM)


async def init(env: dict[str, str], cwd: Path, *words: str) -> tuple[int, str]:
    """Run `aduana init --yes` with these words, and return its status and all that it said."""
    process = await asyncio.create_subprocess_exec(
        *command("init", "--yes", *words),
        env=env,
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_the_service_is_installed_and_answers(systemd, tmp_path):
    """With --service the unit is written, enabled and started, and the gateway answers from it."""
    async with StandInOllama() as ollama:
        env = environment(tmp_path / "home", OLLAMA_HOST=ollama.host)
        env["PATH"] = f"{systemd}:{env['PATH']}"
        status, said = await init(env, tmp_path, "--service")
        assert status == 0, said
        assert "The service runs." in said
        assert (systemd / "asked").read_text().splitlines() == [
            "--user show-environment",
            "--user daemon-reload",
            f"--user enable --now {NAME}",
        ]
        url = re.findall(r"http://127\.0\.0\.1:\d+/v1", said)[-1]
        async with aiohttp.ClientSession() as http, http.get(f"{url}/models") as answer:
            assert "private" in [model["id"] for model in (await answer.json())["data"]]


async def test_a_service_that_does_not_start_is_said(systemd, tmp_path):
    """What systemd says is shown, with the exit status of a failure; the configuration stays."""
    (systemd / "broken").touch()
    async with StandInOllama() as ollama:
        env = environment(tmp_path / "home", OLLAMA_HOST=ollama.host)
        env["PATH"] = f"{systemd}:{env['PATH']}"
        status, said = await init(env, tmp_path, "--service")
    assert status == 1
    assert "The service did not start:\n  systemctl --user enable --now aduana.service: Unit is masked." in said
    assert "journalctl --user" in said
    assert (tmp_path / "home" / ".config" / "aduana" / "aduana.yaml").is_file()


async def test_a_unit_of_somebody_else_is_left_as_it_is(systemd, tmp_path):
    """Whoever has a unit of this name keeps it, and learns that it stands in the way."""
    unit = tmp_path / "home" / ".config" / "systemd" / "user" / NAME
    unit.parent.mkdir(parents=True)
    unit.write_text("mine")
    async with StandInOllama() as ollama:
        env = environment(tmp_path / "home", OLLAMA_HOST=ollama.host)
        env["PATH"] = f"{systemd}:{env['PATH']}"
        status, said = await init(env, tmp_path, "--service", "--lang", "es")
    assert (status, unit.read_text()) == (1, "mine")
    assert f"{unit} ya existe" in said
    assert "enable" not in (systemd / "asked").read_text()


async def test_where_there_is_no_systemd_the_command_is_said(tmp_path):
    """The command that is shown instead starts the gateway from anywhere."""
    async with StandInOllama() as ollama:
        env = environment(tmp_path / "home", OLLAMA_HOST=ollama.host, ADUANA_SERVER__PORT="0")
        env["PATH"] = str(tmp_path)
        status, said = await init(env, tmp_path, "--service")
    assert status == 1
    line = next(line for line in said.splitlines() if line.startswith("  /") and "serve" in line)
    assert shlex.split(line)[-2:] == ["--config", str(tmp_path / "home" / ".config" / "aduana" / "aduana.yaml")]


async def test_a_clouds_key_reaches_the_service_without_being_shown(systemd, tmp_path):
    """The unit waits for a file of variables; the command that is shown makes it, for nobody else to read."""
    secret = "sk-never-shown-8c1f"
    async with StandInOllama() as ollama:
        env = environment(tmp_path / "home", OLLAMA_HOST=ollama.host, OPENAI_API_KEY=secret, ADUANA_SERVER__PORT="0")
        env["PATH"] = f"{systemd}:{env['PATH']}"
        status, said = await init(env, tmp_path, "--service", "--cloud", "openai")
    assert status == 0, said
    assert secret not in said
    assert "enable" not in (systemd / "asked").read_text()
    line = next(line for line in said.splitlines() if "umask" in line)
    await asyncio.to_thread(subprocess.run, ["sh", "-c", line], env=env, check=True)
    file = tmp_path / "home" / ".config" / "aduana" / "aduana.env"
    assert file.read_text() == f"OPENAI_API_KEY={secret}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    unit = (tmp_path / "home" / ".config" / "systemd" / "user" / NAME).read_text()
    assert f"\nEnvironmentFile=-{file}\n" in unit


@pytest.mark.parametrize("whose", ["user", "system"])
def test_systemd_understands_the_units(whose, tmp_path):
    """Whatever the paths are called, systemd-analyze has nothing to say."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed here")
    program, config = ("/bin/true", "100 %"), Path('/srv/my "files"/aduana.yaml')
    secrets = tmp_path / "my files" / "aduana.env"
    service = (
        user_service(program, config, {}, secrets)
        if whose == "user"
        else system_service(program, config, config.parent / "home.yaml")
    )
    unit = next(text for path, text in service.files.items() if path.name == NAME)
    (tmp_path / NAME).write_text(unit)
    words = ["systemd-analyze", *(["--user"] if whose == "user" else []), "verify", str(tmp_path / NAME)]
    env = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60, env=env)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_service_of_the_machine_is_the_fenced_one():
    """It is the unit of the handbook, but for its command and the key that is not there yet."""
    service = system_service(
        ("/opt/aduana/bin/aduana",), Path("/etc/aduana/aduana.yaml"), Path("/etc/aduana/clinic.yaml")
    )
    unit = next(text for path, text in service.files.items() if path.name == NAME).splitlines()
    handbook = (ROOT / "deploy" / NAME).read_text(encoding="utf-8").splitlines()
    assert [line for line in handbook if line not in unit] == ["LoadCredential=apps-key:/etc/aduana/secrets/apps-key"]


def test_what_a_service_of_the_machine_can_not_see(tmp_path):
    """Homes are hidden from it, and so is what a link finds there."""
    (tmp_path / "python").symlink_to("/root/bin/python")
    paths = [Path("/home/ana/model.gguf"), Path("/opt/aduana/bin/aduana"), Path("/root/.config"), tmp_path / "python"]
    assert hidden_from_system(paths) == [paths[0], paths[2], paths[3]]
