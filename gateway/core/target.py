"""Targets as the policy sees them: plain facts, no connections."""

import difflib
import enum
import functools
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

import msgspec

from gateway.core.labels import Label, Zone
from gateway.core.request import LOCAL_ENDPOINTS, Endpoint, Media

_CACHED_NAMES = 1024
_PLAINEST = (
    Endpoint.CHAT,
    Endpoint.EMBEDDINGS,
    Endpoint.RERANK,
    Endpoint.COMPLETIONS,
    Endpoint.MODERATIONS,
    Endpoint.DECISIONS,
    Endpoint.IMAGES,
    Endpoint.SPEECH,
)
_ALIKE = 0.75  # share of letters in common: one letter wrong, missing or swapped in a name of four and more
_WORDS = re.compile(r"[^\W_]+")


class Capability(enum.StrEnum):
    """What a target can do beyond answering with text."""

    TOOLS = "tools"
    IMAGES = "images"
    AUDIO = "audio"
    FILES = "files"
    JSON_SCHEMA = "json_schema"
    GRAMMAR = "grammar"
    LOGPROBS = "logprobs"
    THINKING = "thinking"  # it thinks before it answers; listings tell it, no request needs it


class Api(enum.StrEnum):
    """API in which a target is asked and answers."""

    CHAT = "chat"  # OpenAI's chat completions, and whatever is like them
    RESPONSES = "responses"  # OpenAI's
    MESSAGES = "messages"  # Anthropic's
    A1111 = "a1111"  # AUTOMATIC1111's, for pictures; Forge and sd-server have it too
    COMFYUI = "comfyui"  # ComfyUI's own, for pictures by a workflow


class TargetInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A place that can answer. INVARIANT: a cloud target's ceiling is never `sensitive`."""

    name: str
    kind: str  # embedded, openai, anthropic, gemini
    zone: Zone
    ceiling: Label
    model: str  # what the target calls its model
    context: int | None = None  # window in tokens, prompt and answer together; None: unknown
    endpoints: frozenset[Endpoint] = frozenset(Endpoint)
    capabilities: frozenset[Capability] = frozenset()
    api: Api = Api.CHAT
    marks: bool = False  # takes marks for prompt caches and signed thoughts, which most servers refuse
    betas: frozenset[str] = frozenset()  # features under test that the provider is asked for
    counts_tokens: bool = False  # its provider is asked for the tokens of a prompt, where a client asks for them
    provider_tools: bool = False  # the provider may run tools itself, which ask other people's servers
    given_as_text: frozenset[Media] = frozenset()  # what it can't take, and gets as the text that was read of it
    client_credential: bool = False  # asked with the caller's own key for the provider, never with one of ours

    def __post_init__(self) -> None:
        if self.zone is Zone.CLOUD and self.ceiling >= Label.SENSITIVE:
            raise ValueError(f"target {self.name!r}: a cloud target's ceiling can't be 'sensitive'")

    def takes(self, needed: frozenset[Capability], *, as_text: bool) -> bool:
        """Return whether the target can do all of this; with `as_text` also where it is given text of what it can't."""
        able = self.capabilities
        if as_text and self.given_as_text:
            able = able | {MEDIA_CAPABILITY[medium] for medium in self.given_as_text}
        return needed <= able

    def serves(self, endpoint: Endpoint) -> bool:
        """Return whether the target takes requests of this kind. Moderating is a chat, for those at home."""
        if endpoint in LOCAL_ENDPOINTS and self.zone is Zone.CLOUD:
            return False
        return endpoint in self.endpoints or (endpoint is Endpoint.MODERATIONS and Endpoint.CHAT in self.endpoints)


CAPABILITY_OF_FORM = {"json_schema": Capability.JSON_SCHEMA, "grammar": Capability.GRAMMAR}
"""What a target must be able to do for an answer in this form (`ResponseFormat.kind`)."""

MEDIA_CAPABILITY = {
    Media.IMAGE: Capability.IMAGES,
    Media.AUDIO: Capability.AUDIO,
    Media.FILE: Capability.FILES,
}


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """Voice of a target that speaks: the name it is asked for by, a name for people, its language (empty: unknown)."""

    id: str
    name: str
    language: str = ""


class ServerState(msgspec.Struct, frozen=True, kw_only=True):
    """How one of several servers of a target is doing right now."""

    name: str
    healthy: bool = True
    busy: int = 0  # requests that this gateway has there
    load: int = 0  # requests that it has, those of others included where it tells
    waiting: int = 0  # of these, those in a queue of its own
    problem: str = ""
    open_until: float | None = None  # monotonic seconds; its breaker holds it until then


class TargetState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a target is doing right now. None means unknown."""

    healthy: bool = True
    queue_depth: int | None = None
    queue_wait_seconds: float | None = None  # expected wait of a request that arrives now
    slots_busy: int | None = None
    slots_total: int | None = None
    loaded: bool | None = None
    load_seconds: float | None = None  # expected time to load, where it is not loaded
    loading: float | None = None  # share of it that is loaded; None: it is not being loaded
    memory: int | None = None  # bytes that it takes when it is loaded, estimated
    kv_used: float | None = None  # share of the KV memory that running requests hold
    tokens_per_second: float | None = None  # measured decode speed of one stream
    latency_seconds: float | None = None  # measured time to first token
    problem: str = ""  # why it can't answer, in whole sentences without paths; empty: it can, or nobody knows
    retry_in: float | None = None  # seconds until it is tried again; None: nothing is planned
    open_until: float | None = None  # monotonic seconds; the breaker holds the target until then
    servers: tuple[ServerState, ...] = ()  # each of several; empty: there is one, or none

    def failure(self, now: datetime) -> str:
        """Say in one sentence why the target failed, and when it is tried again; an empty string if it did not fail."""
        if not self.problem:
            return ""
        again = ""
        if self.retry_in is not None:
            again = f" Retried at {now + timedelta(seconds=self.retry_in):%H:%M:%S}."
        return f"failed: {self.problem}{again}"


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    """A name that clients may ask for. `targets` None: every target that the policy permits."""

    name: str
    targets: tuple[str, ...] | None = None
    tags: frozenset[str] = frozenset()


class ModelTraits(msgspec.Struct, frozen=True, kw_only=True):
    """What clients can count on when they ask for a model name."""

    targets: tuple[str, ...]  # those that the rest is told of
    context: int | None  # window in tokens, prompt and answer together; None: unknown
    endpoints: frozenset[Endpoint]
    capabilities: frozenset[Capability]


class Catalog(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be asked for and everything that can answer, in the order of the configuration."""

    targets: Mapping[str, TargetInfo]
    aliases: Mapping[str, Alias]
    unknown_model: str | None = None  # the alias for names that no alias has; None: refuse them
    keys: frozenset[str] = frozenset()  # configured key names, for checking policies
    key_tags: frozenset[str] = frozenset()  # tags that keys attach
    tags_of_keys: Mapping[str, frozenset[str]] = MappingProxyType({})  # the same, by key
    clean_attachments_leave: bool = False  # those that were read whole and are clean raise no doubt

    def resolve(self, model: str) -> Alias | None:
        """Return the alias for a model name that a client asked for; None: the name is unknown and must be refused."""
        alias = self.aliases.get(model)
        if alias is None and self.unknown_model is not None:
            alias = self.aliases.get(self.unknown_model)
        return alias

    def traits(self, alias: str) -> ModelTraits:
        """Return what clients can count on when they ask for an alias.

        Where targets differ, it is what holds for a sensitive request too: that of the targets which may have one. Of
        several windows it is the widest.
        """
        names = self.aliases[alias].targets
        able = [info for name, info in self.targets.items() if names is None or name in names]
        trusted = [info for info in able if info.ceiling >= Label.SENSITIVE] or able
        return ModelTraits(
            targets=tuple(info.name for info in trusted),
            context=max((info.context for info in trusted if info.context is not None), default=None),
            endpoints=frozenset().union(*(info.endpoints for info in trusted)),
            capabilities=frozenset().union(*(info.capabilities for info in trusted)),
        )

    def plainest(self, names: tuple[str, ...] | None = None) -> Endpoint:
        """Return chat where one of these targets (None: any) serves it, else the first kind that one serves."""
        able = [info for name, info in self.targets.items() if names is None or name in names]
        return next((kind for kind in _PLAINEST if any(info.serves(kind) for info in able)), Endpoint.CHAT)

    def meant(self, model: str) -> tuple[Alias, ...]:
        """Return the aliases that a name which no alias has may be a mistyped or longer form of."""
        if model in self.aliases:
            return ()
        return tuple([self.aliases[name] for name in _alike(model, tuple(self.aliases))])


@functools.lru_cache(_CACHED_NAMES)
def _alike(model: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names that `model` looks like (`doctr`, `Doctor`), or that stand in it as a word (`home/doctor-2`)."""
    plain = model.casefold()
    words = set(_WORDS.findall(plain))
    folded = {name: name.casefold() for name in names}
    near = difflib.get_close_matches(plain, folded.values(), n=len(names) or 1, cutoff=_ALIKE)
    return tuple([name for name, low in folded.items() if low in near or set() < set(_WORDS.findall(low)) <= words])
