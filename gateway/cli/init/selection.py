"""Which models and clouds: by the options of the command, else by asking."""

from collections.abc import Sequence
from pathlib import Path

from gateway.cli.init.candidates import Candidate, file_candidate
from gateway.cli.init.clouds import CLOUDS, CloudKey
from gateway.cli.init.findings import Findings
from gateway.cli.init.questions import Answers
from gateway.core.errors import AduanaError
from gateway.core.translation import Translator
from gateway.engine.llama.gguf import read_header
from gateway.local.embedded.models.files import STARTER, model_path

_SHOWN = 15  # models in a list


def models_chosen(
    named: Sequence[str], found: Findings, models_dir: Path, answers: Answers, tell: Translator
) -> list[Candidate]:
    """Return the models that shall answer at home, the first one first.

    Raises:
        ConfigurationError: A named model is not there, or its file is none.
    """
    if named:
        return [_named(name, found, models_dir) for name in named]
    options = found.candidates[:_SHOWN]
    listed = [(candidate.shown, _about(candidate, found, tell)) for candidate in options]
    question = tell("Which model answers at home? The first one is asked first.")
    return [options[place] for place in answers.some(question, listed, 0)]


def _named(name: str, found: Findings, models_dir: Path) -> Candidate:
    known = next((one for one in found.candidates if name in (one.shown, one.model)), None)
    if known is not None:
        return known
    if name == STARTER:
        return Candidate(kind="starter", model=STARTER)
    path = model_path(name, models_dir)
    size = sum(part.stat().st_size for part in read_header(path).parts)
    by_path = "/" in name or name.endswith(".gguf")
    return file_candidate(found.machine, str(path.absolute()) if by_path else name, path, size)


def _about(candidate: Candidate, found: Findings, tell: Translator) -> str:
    """Say whose a model is, how large it is, and what stands in its way."""
    if candidate.kind == "server":
        return tell("{server}, running", server=candidate.where)
    if candidate.kind == "starter" or candidate.model == STARTER:
        return tell("the starter model, small: to try everything")
    parts = [candidate.where or tell("model directory")]
    parts += [f"{candidate.size / 1e9:.1f} GB"] if candidate.size else []
    if not candidate.fits:
        parts.append(tell("too large for the card") if found.machine.gpu_memory else tell("too large for the memory"))
    return ", ".join(parts)


def clouds_chosen(named: Sequence[str], keys: Sequence[CloudKey], answers: Answers, tell: Translator) -> list[CloudKey]:
    """Return the clouds that public requests may go to. None unless somebody says so.

    Raises:
        AduanaError: A named cloud is not known, or its key is not in the environment.
    """
    if named:
        return [_cloud(name, keys, tell) for name in dict.fromkeys(named)]
    return [
        key
        for key in keys
        if answers.whether(
            tell("{variable} is set. May public requests go to {cloud}?", variable=key.variable, cloud=key.cloud.title),
            default=False,
        )
    ]


def _cloud(name: str, keys: Sequence[CloudKey], tell: Translator) -> CloudKey:
    found = next((key for key in keys if key.cloud.target == name.lower()), None)
    if found is not None:
        return found
    cloud = next((cloud for cloud in CLOUDS if cloud.target == name.lower()), None)
    if cloud is None:
        names = ", ".join(cloud.target for cloud in CLOUDS)
        raise AduanaError(tell("--cloud {name} is not known here. There are: {names}.", name=name, names=names))
    variable = " / ".join(cloud.variables)
    raise AduanaError(tell("--cloud {name}: the variable {variable} is not set.", name=name, variable=variable))
