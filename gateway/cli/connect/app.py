"""What is known of an app: how it speaks, where its settings lie, and what stands in them."""

import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit, urlunsplit

import msgspec

ANSWER_TOKENS = 4096  # what an app may set aside for an answer, where its window is large enough
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
FROM_CONTAINER = "host.docker.internal"  # how a container reaches the machine that it runs on
DUMMY_KEY = "unused"  # apps insist on some key; a gateway without keys takes any
PLACEHOLDER = "your key"


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """How an app reaches the gateway."""

    url: str
    """Address without `/v1` and without a slash at its end."""
    key: str | None
    """The API key. None: it can't be known here, or none is wanted."""
    needs_key: bool
    key_env: str = "ADUANA_KEY"
    """The environment variable that holds the key, for apps that read it from there."""
    model: str = "auto"
    window: int = 32768
    """Tokens that a request and its answer may have together."""

    @property
    def v1(self) -> str:
        """Return the base URL for apps that speak OpenAI's dialects."""
        return self.url + "/v1"

    @property
    def key_text(self) -> str:
        """Return what stands where an app wants a key."""
        if self.key is not None:
            return self.key
        return PLACEHOLDER if self.needs_key else DUMMY_KEY

    @property
    def answer_tokens(self) -> int:
        """Return how many tokens of the window an app keeps for the answer."""
        return min(ANSWER_TOKENS, self.window // 8)

    @property
    def on_loopback(self) -> bool:
        """Return whether the address means this machine alone."""
        return urlsplit(self.url).hostname in _LOOPBACK

    def from_container(self) -> "Connection":
        """Return the same connection as a container on this machine has it."""
        if not self.on_loopback:
            return self
        parts = urlsplit(self.url)
        netloc = FROM_CONTAINER if parts.port is None else f"{FROM_CONTAINER}:{parts.port}"
        return msgspec.structs.replace(self, url=urlunsplit(parts._replace(netloc=netloc)))


class Dialect(StrEnum):
    """What an app speaks."""

    CHAT = "chat completions"
    RESPONSES = "Responses"
    MESSAGES = "Anthropic's messages"
    OLLAMA = "Ollama"
    A1111 = "AUTOMATIC1111"


class Format(StrEnum):
    """How a settings file is written."""

    JSON = "json"
    TOML = "toml"
    YAML = "yaml"


Builder: TypeAlias = Callable[[Connection], Any]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where an app keeps a file: a folder, which a variable may move, and the names that the file may have."""

    folder: str
    variable: str = ""
    """Environment variable that names the folder, where the app knows one."""
    inside: str = ""
    """Folder below the one that the variable names."""
    mac: str = ""
    """The folder on macOS, where it is another one."""
    names: tuple[str, ...]
    """The first that exists, else the first."""

    def path(self, environ: Mapping[str, str], platform: str = sys.platform) -> Path:
        """Return the file that the app reads on this machine."""
        moved = environ.get(self.variable, "") if self.variable else ""
        usual = self.mac if self.mac and platform == "darwin" else self.folder
        folder = Path(moved).expanduser() / self.inside if moved else _from_home(usual, environ)
        return next((folder / name for name in self.names if (folder / name).exists()), folder / self.names[0])


def _from_home(folder: str, environ: Mapping[str, str]) -> Path:
    home = environ.get("HOME", "")
    return Path(folder.replace("~", home, 1)) if home else Path(folder).expanduser()


class SettingsFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file in which an app has its settings, or a part of one that a person copies."""

    format: Format
    values: Builder
    place: Place | None = None
    """None: only the person knows where it lies."""
    name: str = ""
    """What it is called, where there is no place."""
    holds_key: bool = False


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field on an app's own page of settings. The value may name `{url}`, `{v1}`, `{key}`, `{model}`, `{window}`."""

    label: str
    value: str

    def filled(self, connection: Connection) -> str:
        """Return the value for this connection."""
        return self.value.format(
            url=connection.url,
            v1=connection.v1,
            key=connection.key_text,
            model=connection.model,
            window=connection.window,
        )


class App(msgspec.Struct, frozen=True, kw_only=True):
    """An app, and how it is told to use the gateway."""

    name: str
    title: str
    dialect: Dialect
    files: tuple[SettingsFile, ...] = ()
    where: str = ""
    """How a person comes to the page with the fields."""
    fields: tuple[Field, ...] = ()
    variables: Callable[[Connection], Mapping[str, str]] | None = None
    """What is set in the environment of the app."""
    program: str = ""
    """Its command. Empty: it is not started here."""
    arguments: Callable[[Connection], tuple[str, ...]] | None = None
    """What is put right behind the command."""
    commands: Callable[[Connection], str] | None = None
    """What a person types in a shell."""
    container: bool = False
    """It usually runs in a container on the gateway's machine."""
    elsewhere: bool = False
    """It usually runs on another machine."""
    key_in_environment: bool = False
    """Its file names the variable that holds the key, instead of the key."""
    notes: tuple[str, ...] = ()

    @property
    def tells_window(self) -> bool:
        """Return whether the app is told how long a conversation may be."""
        small, large = (Connection(url="", key="", needs_key=True, window=window) for window in (8192, 65536))
        builders = [file.values for file in self.files] + ([self.variables] if self.variables else [])
        in_fields = any("{window}" in field.value for field in self.fields)
        return in_fields or any(build(small) != build(large) for build in builders)

    @property
    def writable(self) -> bool:
        """Return whether there is a file whose place is known."""
        return any(file.place is not None for file in self.files)
