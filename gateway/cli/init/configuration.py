"""The text of a commented `aduana.yaml` for what a person chose. Pure."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from gateway.cli.init.candidates import Candidate
from gateway.cli.init.clouds import CloudKey
from gateway.cli.init.network import Network
from gateway.cli.init.profiles import Profile
from gateway.core.translation import Translator

_WIDTH = 100
_PLAIN = re.compile(r"[a-z][\w./-]*\Z", re.IGNORECASE)
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "none", "nan", "inf"})


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What a person chose. The first of `models` answers first; `state_dir` only where it is not the usual one.

    `network`: None for this machine alone.
    """

    profile: Profile
    models: tuple[Candidate, ...]
    clouds: tuple[CloudKey, ...] = ()
    other_keys: tuple[CloudKey, ...] = ()  # found, and not wanted now: written as a comment
    port: int = 8484
    state_dir: Path | None = None
    network: Network | None = None

    @property
    def policy_file(self) -> str:
        """Return the name of the policy's file, beside the configuration."""
        return f"{self.profile.name}.yaml"

    @property
    def targets(self) -> tuple[tuple[str, Candidate], ...]:
        """Return the models at home with the names of their targets."""
        named: dict[str, Candidate] = {}
        for candidate in self.models:
            wanted = _slug(candidate.where or candidate.shown) if named else "home"
            name, number = wanted, 2
            while name in named:
                name, number = f"{wanted}-{number}", number + 1
            named[name] = candidate
        return tuple(named.items())


def configuration(choices: Choices, tell: Translator) -> str:
    """Return the whole file, commented in the reader's language."""
    blocks = [
        _comment(
            tell(
                "Aduana's configuration, written by 'aduana init'. It is yours to change. 'aduana check' then says "
                "whether it is right; 'aduana schema config' prints what may stand here, for editors."
            )
        ),
        _server(choices, tell),
        _comment(tell("Where requests may go. Read it, change it, and let 'aduana check' prove it again."))
        + f"policy: {choices.policy_file}\n",
        "targets:\n" + "\n".join([*_at_home(choices, tell), *_in_clouds(choices, tell)]),
        _aliases(choices, tell),
    ]
    return "\n".join(blocks if choices.network is not None else [*blocks, _hints(tell)])


def _server(choices: Choices, tell: Translator) -> str:
    if choices.network is None:
        text = _comment(
            tell("Where apps find the gateway. 127.0.0.1 is this machine alone; for other devices see 'keys'.")
        )
        text += f"server: {{host: 127.0.0.1, port: {choices.port}}}\n"
    else:
        text = _comment(tell("Where apps find the gateway: on every network of this machine, by these names of it."))
        names = ", ".join(_scalar(name) for name in choices.network.names)
        text += f"server: {{host: 0.0.0.0, port: {choices.port}, allowed_hosts: [{names}]}}\n\n"
        text += _keys(choices.network, tell)
    if choices.state_dir is not None:
        text += "\n" + _comment(tell("The ledger, models and keys of the gateway itself."))
        text += f"state_dir: {_scalar(str(choices.state_dir))}\n"
    return text


def _keys(network: Network, tell: Translator) -> str:
    text = _comment(
        tell(
            "A key for each kind of device. Their secrets stand in files that only you can read; what is written into "
            "such a file counts at once."
        )
    )
    text += "keys:\n"
    for key in network.keys:
        more = f", tags: [{', '.join(key.tags)}]" if key.tags else ""
        more += ", admin: true" if key.admin else ""
        text += f"  {key.name}: {{secret: {json.dumps(f'file:{key.file}', ensure_ascii=False)}{more}}}\n"
    return text


def _at_home(choices: Choices, tell: Translator) -> Iterator[str]:
    for place, (name, candidate) in enumerate(choices.targets):
        match candidate.kind:
            case "server":
                about = tell("{server}, which runs on this machine.", server=candidate.where)
                rows = [
                    ("kind", "openai"),
                    ("zone", "local"),
                    ("base_url", candidate.base_url),
                    ("model", candidate.model),
                ]
                rows += [("context", str(candidate.context))] if candidate.context else []
                rows += [("slots", str(candidate.slots))] if candidate.slots else []
            case "file" | "starter":
                about = _about_file(candidate, tell)
                rows = [("kind", "embedded"), ("model", candidate.model)]
                rows += [("mmproj", candidate.projector)] if candidate.projector else []
                rows += [("load", "on_demand"), ("unload_after", "30 min")] if place else []
        yield _target(name, about, rows)


def _about_file(candidate: Candidate, tell: Translator) -> str:
    if candidate.kind == "starter" or candidate.model == "smollm2":
        return tell(
            "The starter model: small, to see everything work. Put a GGUF file of your own in its place when you like; "
            "'aduana models pull' can fetch one."
        )
    if candidate.where:
        return tell(
            "{model}, a file of {program} that is used where it lies. The gateway runs it itself.",
            model=candidate.shown,
            program=candidate.where,
        )
    return tell("{model}, a file that the gateway runs itself.", model=candidate.shown)


def _in_clouds(choices: Choices, tell: Translator) -> Iterator[str]:
    for key in choices.clouds:
        about = tell("{cloud}. It never gets more than its ceiling: 'public' or 'internal'.", cloud=key.cloud.title)
        yield _target(key.cloud.target, about, _cloud_rows(key))
    for key in choices.other_keys:
        about = tell("{variable} is set. To let public requests leave, uncomment this.", variable=key.variable)
        text = _target(key.cloud.target, "", _cloud_rows(key))
        yield _comment(about, "  ") + "".join(f"  # {line[2:]}\n" for line in text.splitlines())


def _cloud_rows(key: CloudKey) -> list[tuple[str, str]]:
    cloud = key.cloud
    rows = [("kind", cloud.kind), ("zone", "cloud")]
    rows += [("base_url", cloud.base_url)] if cloud.base_url else []
    return [*rows, ("api_key", f"env:{key.variable}"), ("model", cloud.model), ("ceiling", "public")]


def _target(name: str, about: str, rows: Sequence[tuple[str, str]]) -> str:
    lines = "".join(f"    {key}: {_scalar(value)}\n" for key, value in rows)
    return (_comment(about, "  ") if about else "") + f"  {name}:\n{lines}"


def _aliases(choices: Choices, tell: Translator) -> str:
    text = _comment(
        tell(
            "Model names for apps. 'auto' is what they should ask for; the others bring a tag along, at which the "
            "policy looks. A name that is not here is answered as 'auto'."
        )
    )
    rows = [("auto", "{}", "")]
    rows += [(name, f"{{tags: [{', '.join(tags)}]}}", tell(about)) for name, tags, about in choices.profile.aliases]
    rows += [(name, f"{{targets: [{name}]}}", "") for name, _ in choices.targets]
    rows += [(key.cloud.target, f"{{targets: [{key.cloud.target}]}}", "") for key in choices.clouds]
    width = max(len(name) + len(value) for name, value, _ in rows) + 4
    text += "models:\n"
    for name, value, about in rows:
        row = f"  {name}: {value}"
        text += (f"{row:{width + 2}}# {about}" if about else row) + "\n"
    return text


def _hints(tell: Translator) -> str:
    text = _comment(
        tell(
            "For other devices on your network: a key for each of them, and above 'host: 0.0.0.0' with this machine's "
            "name in 'allowed_hosts: []'. A key's secret stands in a file that only you can read, or in a variable; "
            "'openssl rand -hex 32' makes one."
        )
    )
    return text + (
        "# keys:\n"
        '#   laptop: {secret: "env:LAPTOP_KEY"}\n'
        '#   kids-tablet: {secret: "file:~/.config/aduana/kids-tablet.key", tags: [child]}\n'
    )


def _comment(text: str, indent: str = "") -> str:
    """Return a text as lines of comment, no longer than people read at a glance."""
    lines, line = [], ""
    for word in text.split():
        if line and len(indent) + 2 + len(line) + 1 + len(word) > _WIDTH:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "".join(f"{indent}# {one}\n" for one in [*lines, line])


def _scalar(value: str) -> str:
    """Return a text as YAML reads it back: plain where it is a simple word or number, else in quotes."""
    simple = _PLAIN.match(value) and value.lower() not in _WORDS
    if simple or value.isdigit() or re.fullmatch(r"\d+ min", value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower().removesuffix(".gguf")).strip("-")[:40] or "home"
