"""What observing can be told. Plain values; whoever reads the configuration file fills them in."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from gateway.core.labels import Zone


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars for a million tokens."""

    input: float
    """Prompt tokens that were not in the provider's cache."""
    output: float
    """Generated tokens, reasoning included."""
    input_cached: float | None = None
    """Prompt tokens from the provider's cache. None: as `input`."""
    input_written: float | None = None
    """Prompt tokens that were written to the provider's cache. None: as `input`."""
    input_audio: float | None = None
    """Prompt tokens that are sound. None: as `input`."""
    output_audio: float | None = None
    """Generated tokens that are sound. None: as `output`."""
    input_image: float | None = None
    """Prompt tokens that are pictures. None: as `input`."""
    output_image: float | None = None
    """Generated tokens that are pictures. None: as `output`."""
    above: int | None = None
    """With more prompt tokens than this, all tokens of the request cost the `above_…` rates. None: no such step."""
    above_input: float | None = None
    above_output: float | None = None
    above_input_cached: float | None = None


class PicturePrice(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars for one picture. Without a size or quality it is for any."""

    usd: float
    size: str = ""
    quality: str = ""


class SoundPrice(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars for a minute of a recording, and for a million characters that are spoken. None: tokens count."""

    minute: float | None = None
    characters: float | None = None


class PricedTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Facts that are needed to find a target's price."""

    name: str
    zone: Zone
    model: str
    base_url: str | None = None
    context: int | None = None
    """Window in tokens. None: as the price list says."""
    answer_tokens: int | None = None
    """The most tokens of one answer. None: as providers document it for known models, else the window."""
    only_pictures: bool = False
    """It makes pictures and nothing else, so that a price for them is all that it needs."""
    hears: bool = False
    """It writes recordings down, or does that and speaks, and nothing else."""
    speaks: bool = False
    """It speaks, or does that and writes recordings down, and nothing else."""


class PriceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Prices of tokens, and what local answers are compared with."""

    reference_model: str = "gpt-4.1-mini"
    """Cloud model that local requests are compared with."""
    reference_cached: bool = False
    """Whether the comparison grants the reference model's discount for prompt tokens that were in a cache here."""
    reference_batch: bool = False
    """Compare with the reference model's price for batches, where the price list has one."""
    token_ratio: float = 1.0
    """Tokens of the reference model for one token of the local model (their tokenizers differ)."""
    reference_tokenizer: Path | None = None
    """The reference model's `tokenizer.json`: the ratio is then measured on answers, and `token_ratio` is its start."""
    reference_embedding_model: str = "text-embedding-3-small"
    """The same for requests that generate nothing: embeddings are far cheaper than chats."""
    picture_tokens: int = 5_000
    """The most tokens that one picture counts for."""
    overrides: Mapping[str, Rate] = MappingProxyType({})
    """Rates by model name, before the price list: for models it does not know, and for contracts of your own."""
    pictures: Mapping[str, tuple[PicturePrice, ...]] = MappingProxyType({})
    """Prices of pictures by the target's name or the model's; the first that fits counts."""
    sounds: Mapping[str, SoundPrice] = MappingProxyType({})
    """Prices of speech in and out by the target's name or the model's."""
    reference_picture: float | None = None
    """US dollars for one picture of a cloud, that pictures made at home are compared with. None: they are not."""
    data_file: Path | None = None
    """A newer price list of genai-prices (its `data.json`). None: the one that came with the package."""


class Tariff(msgspec.Struct, frozen=True, kw_only=True):
    """Price of a kilowatt-hour in US dollars. The first that is set counts: file, hours, fixed."""

    fixed: float | None = None
    """The same at all times."""
    hours: tuple[float, ...] = ()
    """24 prices, one for each hour of the local day."""
    file: Path | None = None
    """CSV of intervals `start,end,price`, times in ISO 8601 with offset (PVPC, for one). Read again when it changes."""
    rate: float = 1.0
    """US dollars in one unit of the prices above, where they are in another currency."""
    tax: float = 0.0
    """Share on top, 0.21 for 21 %."""
    timezone: str = ""
    """IANA zone of `hours`. Empty: the machine's own."""


class EnergySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Meters to use, and the powers that stand in where nothing can be measured."""

    period_seconds: float = 1.0
    """Time between samples."""
    nvml: bool = True
    """Ask NVIDIA's driver."""
    amd: bool = True
    """Ask AMD's driver, where the package `amdsmi` is installed (it comes with ROCm)."""
    rapl: bool = True
    """Ask the CPU's own counters, where they are readable (root, or a rule for /sys/class/powercap)."""
    idle_watts: float | None = None
    """Estimate where nothing can be measured, or the card does not say what it draws: power when nothing runs."""
    busy_watts: float | None = None
    """The same while local requests run."""
    wall_offset_watts: float = 0.0
    """What the wall meter shows beyond the measured devices (fans, disks, power supply); counted as idle."""
    prefill_weight: float = 1.0
    """Energy of one prompt token, in the same unit as `decode_weight`. `aduana calibrate` measures both."""
    decode_weight: float = 8.0
    """Energy of one generated token."""
    share: float = 1.0
    """Part of all energy and loss of value that this process counts: several processes on one machine count it once."""
    hardware_usd: float | None = None
    """What the hardware cost. None: not counted."""
    hardware_years: float = 4.0
    """Years over which it is written off, evenly."""
    tariff: Tariff = Tariff()
