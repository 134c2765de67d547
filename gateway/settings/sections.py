"""The other sections of `aduana.yaml`: server, aliases, keys, inspection, money, energy, logs."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from gateway.settings.lists import ListConfig
from gateway.settings.quantities import Bytes
from gateway.settings.section import Name, SecretReference, Section, Tag


class ServerSettings(Section):
    """Where the gateway listens and what it accepts."""

    host: str = "127.0.0.1"
    """Address to listen on. Anything but loopback needs `keys`, or `anonymous: true`."""
    port: int = Field(default=8484, ge=0, le=65535)
    """TCP port; 0 takes a free one and prints it."""
    anonymous: bool | None = None
    """Answer without an API key. Default: yes on loopback as long as no `keys` are configured, else no."""
    allowed_hosts: tuple[str, ...] = ()
    """Further names in the `Host` header that are ours (against DNS rebinding). Loopback and `host` always are."""
    allowed_origins: tuple[str, ...] = ()
    """Web pages (scheme://host:port) that may call the gateway from a browser. Default: none."""
    max_body_bytes: int = Field(default=32 * 2**20, ge=1024)
    """Largest request body, in bytes."""
    body_seconds: float = Field(default=30.0, gt=0)
    """Time for a client to send its body."""
    request_seconds: float = Field(default=600.0, gt=0)
    """Time for a whole request, answer included."""
    write_seconds: float = Field(default=30.0, gt=0)
    """A client that takes no byte for this long is cut off."""
    drain_seconds: float = Field(default=30.0, ge=0)
    """After SIGTERM, running answers may go on for this long."""
    max_connections: int = Field(default=1024, ge=1)
    """Connections served at once."""


class EngineConfig(Section):
    """Memory for all embedded models together."""

    memory: Bytes | None = None
    """As `22 GB`: weights, KV caches and computing of all loaded models, on GPUs and in RAM, estimated before a load.
    Models that don't fit together then give way to each other. Default: no limit; each load only looks at free RAM."""
    gpu_memory: Bytes | None = None
    """As `23 GB`: the part of it on GPUs, all cards together, for models of which some layers stay in RAM."""


class ModelAlias(Section):
    """A model name that clients may ask for."""

    targets: tuple[Name, ...] | None = None
    """Targets that may answer under this name, still within the policy. Default: all."""
    tags: frozenset[Tag] = frozenset()
    """Tags that every request under this name carries."""


class ApiKey(Section):
    """A key that clients present. Its name stands in the ledger and in policies, its secret nowhere."""

    secret: SecretReference
    """`env:NAME` or `file:PATH`."""
    user: str | None = None
    """Person or group for the ledger."""
    tags: frozenset[Tag] = frozenset()
    """Tags that every request with this key carries."""
    models: frozenset[str] | None = None
    """Model names that this key may ask for. Default: all."""
    admin: bool = False
    """May use /admin and see explanations."""


class NamesConfig(Section):
    """The search for people's names and addresses by a model, in requests that would leave. Needs `aduana[ner]`."""

    count: Literal["ignore", "full", "any"] = "full"
    """Which names count by themselves: first and last together, any, or none (then only beside health, money, law or
    contact data)."""
    seconds: float = Field(default=2.0, gt=0)
    """Time for one request; beyond it the request counts as sensitive."""
    max_characters: int = Field(default=200_000, ge=1000)
    """Size of one request; beyond it the request counts as sensitive."""
    processes: int = Field(default=1, ge=1, le=32)
    """Worker processes, of about 150 MB each."""
    threads: int = Field(default=1, ge=1, le=64)
    """CPU threads of each."""

    @model_validator(mode="after")
    def _installed(self) -> "NamesConfig":
        from gateway.ner import installed  # numpy comes with it, which nobody else needs to read a configuration

        if not installed():
            raise ValueError("needs an extra: pip install 'aduana[ner]'")
        return self


LEAST_CONTEXT = 2048  # tokens: the longest question about topics, with its examples


class TopicsConfig(Section):
    """A local model is asked what requests that would leave are about. What it says can only keep them at home."""

    target: Name
    """The target that is asked: a local one that answers chats."""
    own: dict[Name, str] = Field(default_factory=dict)
    """Topics of your own, as `mergers: buying or selling firms`; found as `custom.<name>`."""
    seconds: float = Field(default=10.0, gt=0)
    """Time for one request; beyond it the request counts as sensitive."""
    max_characters: int = Field(default=20_000, ge=1000)
    """Size of one request; beyond it the request counts as sensitive."""
    at_once: int = Field(default=8, ge=1, le=64)
    """Questions that the model works on together."""
    certainty: float = Field(default=0.5, ge=0.5, lt=1)
    """How sure the model must be that a sentence is harmless, where it tells its probabilities; else it is not."""

    @model_validator(mode="after")
    def _topics(self) -> "TopicsConfig":
        for name, about in self.own.items():
            if name in ("none", "private", "public", "health", "money", "law", "work", "plans"):
                raise ValueError(f"own.{name}: this word is taken; choose another name")
            if not about.strip():
                raise ValueError(f"own.{name}: say in a few words what the topic is about")
        return self


class InspectionConfig(Section):
    """How requests are searched for sensitive data."""

    seconds: float = Field(default=1.0, gt=0)
    """Computing time for one request; beyond it the request counts as sensitive. Waiting for a core does not count."""
    max_characters: int = Field(default=16_000_000, ge=1000)
    """Size of one request; beyond it the request counts as sensitive."""
    words: dict[Name, tuple[str, ...]] = Field(default_factory=dict)
    """Your own words, by category: found text counts as `custom.<category>`."""
    patterns: dict[Name, tuple[str, ...]] = Field(default_factory=dict)
    """Your own regular expressions (RE2 syntax), by category."""
    lists: dict[Name, ListConfig] = Field(default_factory=dict)
    """Your own long lists (clients, projects): a file with one entry a line, by category `custom.<name>`."""
    names: NamesConfig | None = None
    """Search for people's names and addresses, too."""
    topics: TopicsConfig | None = None
    """Have a local model judge topics, too."""


class RateConfig(Section):
    """US dollars for a million tokens."""

    input: float = Field(ge=0)
    """Prompt tokens that were not in the provider's cache."""
    output: float = Field(ge=0)
    """Generated tokens, reasoning included."""
    input_cached: float | None = Field(default=None, ge=0)
    """Prompt tokens from the provider's cache. Default: as `input`."""
    above: int | None = Field(default=None, ge=1)
    """With more prompt tokens than this, all tokens of the request cost the `above_…` rates."""
    above_input: float | None = Field(default=None, ge=0)
    """As `input`, above the step."""
    above_output: float | None = Field(default=None, ge=0)
    """As `output`, above the step."""
    above_input_cached: float | None = Field(default=None, ge=0)
    """As `input_cached`, above the step."""


class PriceConfig(Section):
    """What tokens cost, and what local answers are compared with."""

    reference_model: str = "gpt-4.1-mini"
    """Cloud model whose price local requests are compared with."""
    reference_cached: bool = False
    """Whether the comparison grants the reference model's discount for cached prompt tokens."""
    reference_batch: bool = False
    """Compare with the reference model's price for batches, where the price list has one: for work that could wait."""
    token_ratio: float = Field(default=1.0, gt=0)
    """Tokens of the reference model for one token of the local model. What is avoided is an estimate by it."""
    reference_tokenizer: Path | None = None
    """The reference model's `tokenizer.json`. The ratio is then measured on answers (`token_ratio` is where it starts).
    Needs `pip install 'aduana[tokenizer]'`."""
    overrides: dict[str, RateConfig] = Field(default_factory=dict)
    """Rates by model name, before the price list."""
    data_file: Path | None = None
    """A newer price list of genai-prices (`data.json`). Default: the one that came with the package."""
    currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    """Display currency."""
    usd_rate: float = Field(default=1.0, gt=0)
    """How much one US dollar is in that currency."""


class BudgetConfig(Section):
    """Limits of cloud spending, US dollars. A request that could pass one stays at home, or is refused until it begins
    anew; policies see what is spent and left.
    """

    day_usd: float | None = Field(default=None, ge=0)
    """For one day."""
    month_usd: float | None = Field(default=None, ge=0)
    """For one calendar month."""
    keys_usd: dict[Name, float] = Field(default_factory=dict)
    """For one calendar month, by API key."""


class TariffConfig(Section):
    """What a kilowatt-hour costs. The first that is set counts: file, hours, fixed."""

    fixed: float | None = Field(default=None, ge=0)
    """The same at all times."""
    hours: tuple[float, ...] = ()
    """24 prices, one for each hour of the local day."""
    file: Path | None = None
    """CSV of intervals: `start,end,price`, times in ISO 8601 with offset, for example from PVPC."""
    rate: float = Field(default=1.0, gt=0)
    """US dollars in one unit of these prices, where they are in another currency."""
    tax: float = Field(default=0.0, ge=0)
    """Share on top, 0.21 for 21 %."""


class EnergyConfig(Section):
    """What the hardware draws and what it costs."""

    period_seconds: float = Field(default=1.0, ge=0.2, le=60)
    """Time between samples."""
    nvml: bool = True
    """Ask NVIDIA's driver."""
    amd: bool = True
    """Ask AMD's driver, where `amdsmi` is installed."""
    rapl: bool = True
    """Ask the CPU's own counters, where they are readable."""
    idle_watts: float | None = Field(default=None, ge=0)
    """Estimate where nothing can be measured: power when nothing runs."""
    busy_watts: float | None = Field(default=None, ge=0)
    """The same while local requests run."""
    wall_offset_watts: float = Field(default=0.0, ge=0)
    """What the wall meter shows beyond the measured devices."""
    prefill_weight: float = Field(default=1.0, gt=0)
    """Energy of one prompt token, in the unit of `decode_weight`. `aduana calibrate` measures both."""
    decode_weight: float = Field(default=8.0, gt=0)
    """Energy of one generated token."""
    hardware_usd: float | None = Field(default=None, ge=0)
    """What the hardware cost, for its amortisation."""
    hardware_years: float = Field(default=4.0, gt=0)
    """Years over which it is written off."""
    tariff: TariffConfig = TariffConfig()
    """Price of electricity."""


class TraceConfig(Section):
    """OpenTelemetry traces: one span a request, without content. Needs `pip install 'aduana[traces]'`."""

    endpoint: str | None = None
    """Full URL of a collector's OTLP/HTTP receiver, as `http://127.0.0.1:4318/v1/traces`. Default: no traces."""
    headers: dict[str, SecretReference] = Field(default_factory=dict)
    """Headers for the collector: name → `env:NAME` or `file:PATH`."""
    ratio: float = Field(default=1.0, ge=0, le=1)
    """Share of requests that are traced."""


class LogConfig(Section):
    """What is logged. Prompts, answers, keys and header values never are."""

    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"
