"""Every fact that a policy may ask about: its kind, unit and meaning, and where its value comes from.

The reader, the JSON Schema, the prover and the handbook all work from this table.
"""

import enum
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from gateway.core.attachment import FileKind
from gateway.core.labels import Label
from gateway.core.request import Dialect, Endpoint
from gateway.core.target import Catalog
from gateway.policy.language.conditions import FactRef
from gateway.policy.language.units import Unit


class FactKind(enum.StrEnum):
    """The kind of values that a fact has, and so which tests it takes."""

    NUMBER = "number"
    LABEL = "label"
    WORD = "word"  # one of a closed list
    NAME = "name"  # any text
    SET = "set"  # several words
    FLAG = "flag"
    CLOCK = "clock"  # time of day


class Parameter(enum.StrEnum):
    """The further key that a fact's condition takes."""

    TARGET = "on"
    BUDGET = "of"
    SHARE = "by"
    HEADER = "name"


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table. `always_known`: never unknown, so no polarity is needed."""

    name: str
    kind: FactKind
    summary: str
    unit: Unit = Unit.COUNT
    words: tuple[str, ...] = ()
    parameter: Parameter | None = None
    parameter_needed: bool = False
    always_known: bool = False


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
BUDGETS = ("day", "month", "key", "user")
SHARES = ("caller", "request")
NO_ATTACHMENT, READ_WHOLE, READ_PARTLY, UNREAD = "none", "whole", "partly", "unread"
TOLD_BY_READING = frozenset({"attachment_kinds", "attachment_pages", "attachments_read"})
"""Facts that are told only by looking into attachments."""
_K = FactKind


def _table() -> Mapping[str, Fact]:
    on, needed = Parameter.TARGET, True
    facts = (
        Fact(name="label", kind=_K.LABEL, summary="how sensitive the request is", always_known=True),
        Fact(name="tags", kind=_K.SET, summary="tags of header, key, alias and rules", always_known=True),
        Fact(name="findings", kind=_K.SET, summary="categories that inspection found", always_known=True),
        Fact(name="doubts", kind=_K.SET, summary="what could not be inspected (image, file, time, …)",
             always_known=True),
        Fact(name="tainted", kind=_K.FLAG, summary="an earlier turn of the conversation was sensitive",
             always_known=True),
        Fact(name="key", kind=_K.WORD, summary="name of the API key, or anonymous", always_known=True),
        Fact(name="user", kind=_K.NAME, summary="the key's user"),
        Fact(name="model", kind=_K.NAME, summary="the model name as the client wrote it"),
        Fact(name="alias", kind=_K.WORD, summary="the configured model name that answers for it", always_known=True),
        Fact(name="dialect", kind=_K.WORD, words=tuple(Dialect), summary="the API that the client speaks",
             always_known=True),
        Fact(name="endpoint", kind=_K.WORD, words=tuple(Endpoint), summary="what is asked for", always_known=True),
        Fact(name="stream", kind=_K.FLAG, summary="the answer is streamed", always_known=True),
        Fact(name="prompt_tokens", kind=_K.NUMBER, unit=Unit.TOKENS, summary="length of the prompt"),
        Fact(name="max_output_tokens", kind=_K.NUMBER, unit=Unit.TOKENS,
             summary="answer length that the client allows; unknown where it sets none"),
        Fact(name="turns", kind=_K.NUMBER, summary="messages of the user in the conversation", always_known=True),
        Fact(name="has_images", kind=_K.FLAG, summary="images are in the request", always_known=True),
        Fact(name="has_audio", kind=_K.FLAG, summary="audio is in the request", always_known=True),
        Fact(name="has_files", kind=_K.FLAG, summary="files are in the request", always_known=True),
        Fact(name="attachments", kind=_K.NUMBER, summary="pictures, files and recordings in the request",
             always_known=True),
        Fact(name="attachment_kinds", kind=_K.SET, words=tuple(FileKind), summary="what they are, by their bytes",
             always_known=True),
        Fact(name="attachment_pages", kind=_K.NUMBER, summary="their pages together; unknown where one is not read"),
        Fact(name="attachments_read", kind=_K.WORD, words=(NO_ATTACHMENT, READ_WHOLE, READ_PARTLY, UNREAD),
             summary="how far they were read: none are there, every one whole, one in part, one not at all",
             always_known=True),
        Fact(name="has_tools", kind=_K.FLAG, summary="tools are offered to the model", always_known=True),
        Fact(name="wants_logprobs", kind=_K.FLAG, summary="log probabilities are asked for", always_known=True),
        Fact(name="language", kind=_K.NAME, summary="language of the last turn (en, es, …), where it is plain"),
        Fact(name="response_format", kind=_K.WORD, words=("text", "json_object", "json_schema", "grammar"),
             summary="the form of answer that the client wants", always_known=True),
        Fact(name="header", kind=_K.NAME, parameter=Parameter.HEADER, parameter_needed=needed,
             summary="an allow-listed request header"),
        Fact(name="time", kind=_K.CLOCK, summary="local time of day"),
        Fact(name="weekday", kind=_K.WORD, words=WEEKDAYS, summary="local day of the week"),
        Fact(name="electricity_price", kind=_K.NUMBER, unit=Unit.USD_PER_KWH, summary="price of electricity now"),
        Fact(name="gpu_utilization", kind=_K.NUMBER, unit=Unit.RATIO, summary="load of the busiest GPU"),
        Fact(name="gpu_memory", kind=_K.NUMBER, unit=Unit.RATIO, summary="memory in use on the busiest GPU"),
        Fact(name="gpu_temperature", kind=_K.NUMBER, unit=Unit.CELSIUS, summary="temperature of the busiest GPU"),
        Fact(name="gpu_power", kind=_K.NUMBER, unit=Unit.WATTS, summary="power of the busiest GPU"),
        Fact(name="queue_wait_seconds", kind=_K.NUMBER, unit=Unit.SECONDS, parameter=on,
             summary="expected wait; without 'on' the shortest of the healthy local targets"),
        Fact(name="queue_depth", kind=_K.NUMBER, parameter=on,
             summary="requests waiting; without 'on' the fewest of the healthy local targets"),
        Fact(name="loaded", kind=_K.FLAG, parameter=on,
             summary="the model is in memory; without 'on' that of any healthy local target"),
        Fact(name="load_seconds", kind=_K.NUMBER, unit=Unit.SECONDS, parameter=on,
             summary="time that loading would take; without 'on' the shortest"),
        Fact(name="tokens_per_second", kind=_K.NUMBER, unit=Unit.TOKENS_PER_SECOND, parameter=on,
             summary="measured speed of one answer; without 'on' the fastest healthy local target"),
        Fact(name="latency_seconds", kind=_K.NUMBER, unit=Unit.SECONDS, parameter=on,
             summary="measured time to the first token; without 'on' the shortest"),
        Fact(name="healthy", kind=_K.FLAG, parameter=on,
             summary="the target answers; without 'on' whether any local target does"),
        Fact(name="spent", kind=_K.NUMBER, unit=Unit.USD, parameter=Parameter.BUDGET, parameter_needed=needed,
             summary="money spent in the running period: of day, month, or by the caller's key or user in the month"),
        Fact(name="budget_left", kind=_K.NUMBER, unit=Unit.USD, parameter=Parameter.BUDGET, parameter_needed=needed,
             summary="money left of a budget with a limit"),
        Fact(name="price", kind=_K.NUMBER, unit=Unit.USD, parameter=on, parameter_needed=needed,
             summary="estimated price of this request on a target"),
        Fact(name="share", kind=_K.NUMBER, unit=Unit.RATIO, parameter=Parameter.SHARE,
             summary="a stable number from 0 to 1: by caller, or by request", always_known=True),
    )  # fmt: skip
    return MappingProxyType({fact.name: fact for fact in facts})


FACTS = _table()


def kind_of(ref: FactRef) -> FactKind:
    """Return the kind of a fact, also of the two that `findings` brings along."""
    return FactKind.NUMBER if ref.name in ("finding_count", "finding_confidence") else FACTS[ref.name].kind


def label_number(word: str) -> float:
    """Return a label as a number, since labels are compared as numbers.

    Raises:
        ValueError: The word is no label.
    """
    return float(Label.parse(word))


def known_keys(catalog: Catalog) -> frozenset[str]:
    """Return the values that the fact `key` can have."""
    return catalog.keys | {"anonymous"}
