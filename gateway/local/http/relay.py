"""Decide whether a server at home passes a model's requests on to somebody else's machines. Pure.

Ollama runs models named `…-cloud` on ollama.com, and says so in `/api/tags` and `/api/show` (`remote_host`,
`remote_model`; https://docs.ollama.com/api); LM Studio's listings name the device of a model that is not on that
machine (`deviceIdentifier`). The server of such a model is at home, what it is sent is not.
"""

from collections.abc import Iterator, Mapping

import msgspec

_REMOTE = ("remote_host", "remote_model", "remote_url", "remote", "is_remote", "deviceIdentifier", "device_identifier")
_NAMES = ("name", "model", "id", "key")
_LISTS = ("models", "data")


def read_object(body: bytes) -> Mapping[str, object]:
    """Return the JSON object of a page; empty where it is anything else."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def listed_as_remote(listing: Mapping[str, object], model: str) -> bool:
    """Say whether a list of models has this one as one that runs elsewhere."""
    wanted = _plain(model)
    return any(
        described_as_remote(entry)
        for entry in _entries(listing)
        if wanted in [_plain(name) for name in (entry.get(field) for field in _NAMES) if isinstance(name, str)]
    )


def described_as_remote(description: Mapping[str, object]) -> bool:
    """Say whether the description of one model says that it runs elsewhere."""
    parts = [description, *(part for part in description.values() if isinstance(part, dict))]
    return any(bool(part.get(field)) for part in parts for field in _REMOTE)


def is_ollama(listing: Mapping[str, object]) -> bool:
    """Say whether the page at `/api/tags` is a list of models, so that `/api/show` can be asked, too."""
    return isinstance(listing.get("models"), list)


def _entries(listing: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    for field in _LISTS:
        entries = listing.get(field)
        yield from (entry for entry in (entries if isinstance(entries, list) else ()) if isinstance(entry, dict))


def _plain(name: str) -> str:
    return name.strip().lower().removesuffix(":latest")
