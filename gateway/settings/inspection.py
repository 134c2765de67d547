"""`inspection:`: what is looked for in requests, and with how much time."""

from typing import Literal

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from gateway.settings.lists import ListConfig
from gateway.settings.section import Name, Section


class NamesConfig(Section):
    """The search for people's names and addresses by a model, in requests that would leave. Or `names: off`.

    It is on where the extra `ner` is installed.
    """

    count: Literal["off", "ignore", "full", "any"] = "full"
    """Which names count by themselves: those of private people, any, or none (then only beside health, money, law or
    contact data). `off`: nobody looks for names and addresses."""
    seconds: float = Field(default=10.0, gt=0)
    """Computing time for one request; beyond it the request counts as sensitive, and another try goes on from there."""
    max_characters: int = Field(default=400_000, ge=1000)
    """Size of one request; beyond it the request counts as sensitive."""
    processes: int = Field(default=1, ge=1, le=32)
    """Worker processes, of about 150 MB each."""
    threads: int = Field(default=1, ge=1, le=64)
    """CPU threads of each."""

    @model_validator(mode="before")
    @classmethod
    def _off(cls, value: object) -> object:
        return {"count": "off"} if value == "off" or value is False else value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe both forms to editors: the word `off`, or a section."""
        return {"anyOf": [{"const": "off"}, handler(schema)]}

    @model_validator(mode="after")
    def _installed(self) -> "NamesConfig":
        from gateway.ner import installed  # numpy comes with it, which nobody else needs to read a configuration

        if self.count != "off" and not installed():
            raise ValueError("needs an extra. Run: aduana extras install ner")
        return self


class JudgeConfig(Section):
    """The judge of sensitivity: a small model on this machine sees what requests that would leave are about."""

    mode: Literal["off", "balanced", "strict"] = "balanced"
    """How much it keeps at home: `strict` keeps more confidences and more harmless texts; `off` asks it nothing."""
    unsure: Literal["sensitive", "internal"] = "internal"
    """What text in a script that it can't read counts as (found as `unsure`, which a policy may also name)."""
    seconds: float = Field(default=5.0, gt=0)
    """Computing time for one request; beyond it the request counts as sensitive. What was judged is remembered."""
    max_characters: int = Field(default=400_000, ge=1000)
    """Size of one request; beyond it the request counts as sensitive."""


LEAST_CONTEXT = 2048  # tokens: the longest question about topics, with its examples


class TopicsConfig(Section):
    """A local model is asked what requests that would leave are about. What it says can only keep them at home."""

    target: Name
    """The target that is asked: a local one that answers chats."""
    ask: Literal["unsure", "always"] = "unsure"
    """About which texts: those that the judge of sensitivity is unsure of, or all."""
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


class MemoryConfig(Section):
    """What is known again of what was sensitive in earlier requests."""

    between_keys: Literal["nothing", "passages", "everything"] = "passages"
    """What is known again under another key: nothing, passages (from about 200 characters on), or also single lines and
    conversations. Under its own key everything is."""


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
    judge: JudgeConfig = JudgeConfig()
    """The judge of sensitivity."""
    names: NamesConfig | None = None
    """Search for people's names and addresses: on where the extra `ner` is installed, unless it is `off`."""
    topics: TopicsConfig | None = None
    """Have a local model judge topics, too."""
    memory: MemoryConfig = MemoryConfig()
    """The memory of sensitive conversations."""

    @property
    def names_searched(self) -> NamesConfig | None:
        """Return how names are searched for; None: they are not."""
        from gateway.ner import installed

        if self.names is None:
            return NamesConfig() if installed() else None
        return self.names if self.names.count != "off" else None
