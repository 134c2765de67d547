"""`aduana init`, in a terminal and as a script runs it; what it writes is read by the real commands."""

import asyncio
import json
import re
import stat
import subprocess
from pathlib import Path

import aiohttp
import pytest

from tests.cli.init.servers import StandInOllama
from tests.cli.init.terminal import Terminal, command, environment

SECRET = "sk-never-shown-8c1f"


def run(words: list[str], env: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command without a terminal."""
    return subprocess.run(
        command(*words), env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240
    )


def too_wide(shown: str) -> list[str]:
    """Return the lines that a terminal of 80 columns would break, but for those that are a path to copy."""
    return [line for line in shown.splitlines() if len(line) > 80 and "/" not in line]


TALKS = {
    "en": {
        "title": "Aduana: first set-up",
        "folder": "Folder for aduana.yaml and the policy",
        "who": "Number [1]",
        "model": "Number, or several of them [1]",
        "cloud": "May public requests go to OpenAI? [y/N]",
        "network": "use it too? [y/N]",
        "again": "Please answer yes or no.",
        "proved": "Now 'aduana check' reads them",
        "comment": "# about patients: never leaves",
        "paste": "What to put into your apps",
    },
    "es": {
        "title": "Aduana: primera puesta en marcha",
        "folder": "Carpeta para aduana.yaml y la política",
        "who": "Número [1]",
        "model": "Número, o varios [1]",
        "cloud": "[s/N]",
        "network": "otros aparatos de tu red? [s/N]",
        "again": "Responde sí o no, por favor.",
        "proved": "Ahora 'aduana check' los lee",
        "comment": "# sobre pacientes: nunca sale",
        "paste": "Qué poner en tus aplicaciones",
    },
}


@pytest.mark.parametrize("language", TALKS)
async def test_a_person_is_led_through_it_in_their_language(language, tmp_path):
    """Questions, files and last words are in their language, at 80 columns; the chosen policy is proved."""
    talk = TALKS[language]
    locale = {"en": "en_GB.UTF-8", "es": "es_ES.UTF-8"}[language]
    async with StandInOllama() as ollama:
        env = environment(tmp_path / "home", LANG=locale, OLLAMA_HOST=ollama.host, OPENAI_API_KEY=SECRET)

        def talking() -> tuple[int, str]:
            with Terminal(command("init", "--no-service"), env, tmp_path) as terminal:
                terminal.answer(talk["folder"], "")
                terminal.answer(talk["who"], "nobody")
                terminal.answer(talk["who"], "3")
                terminal.answer(talk["model"], "")
                terminal.answer(talk["cloud"], "perhaps")
                terminal.answer(talk["again"], "sí" if language == "es" else "yes")
                terminal.answer(talk["network"], "")
                return terminal.finish(), terminal.shown

        status, shown = await asyncio.to_thread(talking)
    assert status == 0, shown
    wizards = shown[: shown.index(talk["proved"])] + shown[shown.index(talk["paste"]) :]
    assert too_wide(wizards) == []
    assert talk["title"] in shown
    assert "Ollama" in shown
    assert "proved  never: when {tags: {in: [patient, health, staff]}}: zone cloud" in shown
    folder = tmp_path / "home" / ".config" / "aduana"
    text = (folder / "aduana.yaml").read_text(encoding="utf-8")
    assert talk["comment"] in text
    assert "policy: clinic.yaml" in text
    assert 'api_key: "env:OPENAI_API_KEY"' in text
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and SECRET in file.read_text(errors="replace")]
    assert SECRET not in shown
    assert run(["check"], env, tmp_path).returncode == 0


async def serving(env: dict[str, str], cwd: Path) -> tuple[asyncio.subprocess.Process, str]:
    """Start `aduana serve`, and return it with its address on this machine once it is ready."""
    served = await asyncio.create_subprocess_exec(
        *command("serve"), env=env, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert served.stdout is not None
    said = ""
    async with asyncio.timeout(60):
        while "/v1" not in said:
            line = await served.stdout.readline()
            assert line, f"the gateway ended:\n{said}"
            said += line.decode()
    port = re.findall(r":(\d+)/v1", said)[-1]
    return served, f"http://127.0.0.1:{port}"


async def ask(url: str, secret: str) -> tuple[int, str | None]:
    """Ask with a key, and return the status and the label."""
    body = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}
    headers = {"Authorization": f"Bearer {secret}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.post(f"{url}/v1/chat/completions", json=body) as answer,
    ):
        return answer.status, answer.headers.get("x-aduana-label")


async def test_what_was_set_up_answers_at_once(tmp_path):
    """Without a word of configuration more, the gateway starts from the usual place and an app is answered."""
    async with StandInOllama(answer="At home.") as ollama:
        env = environment(tmp_path / "home", OLLAMA_HOST=ollama.host)
        done = await asyncio.to_thread(run, ["init", "--yes", "--profile", "home"], env, tmp_path)
        assert done.returncode == 0, done.stderr
        served, url = await serving(env, tmp_path)
        try:
            async with aiohttp.ClientSession() as http:
                body = {"model": "private", "messages": [{"role": "user", "content": "Hello"}]}
                async with http.post(f"{url}/v1/chat/completions", json=body) as answer:
                    said = await answer.json()
        finally:
            served.terminate()
            await served.communicate()
        assert said["choices"][0]["message"]["content"].strip() == "At home."
        assert answer.headers["x-aduana-label"] == "sensitive"


async def test_devices_on_the_network_get_keys_of_their_own(tmp_path):
    """The secrets are new, for nobody else to read, and shown nowhere; a child's device is known by its key."""
    async with StandInOllama(answer="At home.") as ollama:
        env = environment(tmp_path / "home", OLLAMA_HOST=ollama.host)
        words = ["init", "--yes", "--network", "--profile", "family"]
        done = await asyncio.to_thread(run, words, env, tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        folder = tmp_path / "home" / ".config" / "aduana"
        keys = {file.stem: file.read_text().strip() for file in (folder / "keys").iterdir()}
        assert keys.keys() == {"admin", "apps", "kids"}
        assert not [secret for secret in keys.values() if secret in done.stdout + (folder / "aduana.yaml").read_text()]
        assert len({secret for secret in keys.values() if len(secret) == 64}) == 3
        modes = {stat.S_IMODE(path.stat().st_mode) for path in (folder / "keys").iterdir()}
        assert (modes, stat.S_IMODE((folder / "keys").stat().st_mode)) == ({0o600}, 0o700)
        served, url = await serving(env, tmp_path)
        try:
            answers = {name: await ask(url, secret) for name, secret in {**keys, "nobody": "guessed"}.items()}
        finally:
            served.terminate()
            await served.communicate()
    assert answers["nobody"] == (401, None)
    assert answers["apps"] == (200, "internal")
    assert answers["kids"] in ((200, "sensitive"), (403, "sensitive"))  # the latter at bedtime


def test_nothing_is_overwritten(tmp_path):
    """Where a configuration or another policy of that name is, it stays as it is, and the next step is said."""
    env = environment(tmp_path / "home")
    folder = tmp_path / "mine"
    words = ["init", "--yes", "--directory", str(folder), "--model", "smollm2"]
    folder.mkdir()
    for name in ("aduana.yaml", "home.yaml"):
        (folder / name).write_text("mine")
        done = run(words, env, tmp_path)
        assert done.returncode == 2
        assert f"{folder / name}: there already" in done.stderr
        assert "aduana check" in done.stderr
        assert [(file.name, file.read_text()) for file in folder.iterdir()] == [(name, "mine")]
        (folder / name).unlink()
    assert run(words, env, tmp_path).returncode == 0
    again = run([*words, "--lang", "es"], env, tmp_path)
    assert (again.returncode, "ya existe" in again.stderr) == (2, True)


def test_without_a_terminal_it_asks_nothing_and_says_how(tmp_path):
    """A script that forgot --yes gets a sentence, not a question that nobody answers."""
    done = run(["init"], environment(tmp_path / "home"), tmp_path)
    assert (done.returncode, "--yes" in done.stderr) == (2, True)
    assert list((tmp_path / "home").iterdir()) == []


def test_closing_the_terminal_writes_nothing(tmp_path):
    """Whoever leaves in the middle leaves nothing behind."""
    env = environment(tmp_path / "home")
    with Terminal(command("init"), env, tmp_path) as terminal:
        terminal.answer("Folder for aduana.yaml", "")
        terminal.answer("Number [1]", "\x04")
        assert terminal.finish() == 2
    assert "Nothing was written." in terminal.shown
    assert list((tmp_path / "home").rglob("*.yaml")) == []


def test_models_are_named_by_file_and_linked_where_their_name_says_nothing(tmp_path):
    """A file is used where it lies; one of Ollama's gets a readable link; a second one loads on demand."""
    from tests.engine.tiny import write_encoder

    env = environment(tmp_path / "home", ADUANA_STATE_DIR=str(tmp_path / "state"))
    write_encoder(tmp_path / "tiny.gguf", 1)
    store = tmp_path / "home" / ".ollama" / "models"
    digest = "a" * 64
    (store / "blobs").mkdir(parents=True)
    write_encoder(store / "blobs" / f"sha256-{digest}", 1)
    manifest = store / "manifests" / "registry.ollama.ai" / "library" / "small" / "latest"
    manifest.parent.mkdir(parents=True)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}"}
    manifest.write_text(json.dumps({"layers": [layer]}))
    words = ["init", "--yes", "--directory", str(tmp_path / "mine")]
    done = run([*words, "--model", "small:latest", "--model", str(tmp_path / "tiny.gguf")], env, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    link = tmp_path / "state" / "models" / "small.gguf"
    assert link.is_symlink()
    assert link.resolve() == store / "blobs" / f"sha256-{digest}"
    text = (tmp_path / "mine" / "aduana.yaml").read_text()
    assert "    model: small\n" in text
    assert f'    model: "{tmp_path}/tiny.gguf"\n    load: on_demand' in text
    assert f'state_dir: "{tmp_path}/state"' in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model", "none.gguf"], "The model file"),
        (["--model", "smolm2"], "There is no model 'smolm2'"),
        (["--cloud", "openai"], "the variable OPENAI_API_KEY is not set"),
        (["--cloud", "mycloud"], "There are: openai, anthropic"),
        (["--service", "--no-service"], "exclude each other"),
        (["--port", "65536"], "from 1 to 65535"),
        (["--port", "-1"], "from 1 to 65535"),
        (["--port", "0"], "from 1 to 65535"),
    ],
)
def test_what_can_not_be_done_is_said_and_nothing_is_written(words, said, tmp_path):
    """A wrong option ends with a sentence, before anything is on the disk."""
    done = run(["init", "--yes", *words], environment(tmp_path / "home"), tmp_path)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert list(tmp_path.rglob("*.yaml")) == []


def test_aduana_alone_shows_what_it_can_do(tmp_path):
    """Whoever types the name alone gets the list of commands."""
    done = run([], environment(tmp_path / "home"), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "init" in done.stdout
