"""Jinja template of a chat, in a sandbox. Reads the date for templates that print it.

The functions and filters are those that Hugging Face's `apply_chat_template` offers to templates.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.parser
import jinja2.sandbox

_LONGEST_LIST = 10_000  # entries to which a template may make a list grow


class TemplateFault(Exception):
    """Reason why a template could not render something. `refused`: in the template's own words."""

    def __init__(self, message: str, *, refused: bool) -> None:
        super().__init__(message)
        self.refused = refused


class _Generation(jinja2.ext.Extension):
    """Jinja tag `{% generation %}…{% endgeneration %}`, which marks text for training; here it changes nothing."""

    tags = {"generation"}  # noqa: RUF012 - the type is jinja2's

    def parse(self, parser: jinja2.parser.Parser) -> list[jinja2.nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Sandbox(jinja2.sandbox.ImmutableSandboxedEnvironment):
    """Sandbox in which templates may also append to lists and take from them, for some keep a queue.

    INVARIANT: lists don't grow without a bound, so that a template that appends to the list it goes through ends.
    """

    def getattr(self, obj: object, attribute: str) -> object:
        """Return an attribute, as Jinja's sandbox does; of a list also the two methods that change it."""
        if isinstance(obj, list):
            if attribute == "append":
                return _appender(obj)
            if attribute == "pop":
                return lambda place=-1: obj.pop(place)
        return super().getattr(obj, attribute)


class _Missing(jinja2.ChainableUndefined):
    """Value that there is none of. Its attributes are missing too, but what the sandbox forbids is an error."""

    def __getattr__(self, name: str) -> "_Missing":
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: object) -> "_Missing":  # type: ignore[override]  # the stub says that it always fails
        if self._undefined_exception is not jinja2.UndefinedError:
            self._fail_with_undefined_error()
        return self


def _appender(items: list[object]) -> Callable[[object], None]:
    def append(value: object) -> None:
        if len(items) >= _LONGEST_LIST:
            raise jinja2.TemplateRuntimeError("a list grows without end")
        items.append(value)

    return append


def _raise(message: str) -> None:
    raise jinja2.TemplateRuntimeError(message)


def _tojson(
    value: object,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys, default=_listed
    )


def _listed(value: object) -> object:
    """Return what Jinja's own filters make as a list.

    Raises:
        TypeError: it can't be written as JSON.
    """
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError("no JSON")


class JinjaTemplate:
    """Compiled template. `bos` and `eos` are the texts of the tokens that begin and end a sequence."""

    def __init__(self, source: str, *, bos: str, eos: str, now: Callable[[], datetime] = datetime.now) -> None:
        environment = _Sandbox(
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=_Missing,
            extensions=[_Generation, "jinja2.ext.loopcontrols"],
        )
        environment.filters["tojson"] = _tojson
        environment.globals["raise_exception"] = _raise
        environment.globals["strftime_now"] = lambda form: now().strftime(form)
        self.source = source
        self._now = now
        self._template = environment.from_string(source)
        self._tokens = {"bos_token": bos, "eos_token": eos}

    def render(
        self,
        turns: Sequence[Mapping[str, object]],
        tools: Sequence[object] = (),
        *,
        generate: bool,
        variables: Mapping[str, object] | None = None,
    ) -> str:
        """Render a conversation. `generate`: up to where the next answer begins.

        Raises:
            TemplateFault: the template refuses these turns, or fails with them.
        """
        offered: dict[str, object] = {"tools": tools or None}
        if "functions" in self.source and "datetime" in self.source:  # FireFunction's names
            offered |= {"functions": _tojson(list(tools), indent=4), "datetime": self._now().strftime("%b %d %Y")}
        named = {**offered, **self._tokens, **(variables or {})}
        try:
            return self._rendered({**named, "messages": turns, "add_generation_prompt": generate, "documents": None})
        except jinja2.TemplateError as error:
            raise TemplateFault(str(error)[:300], refused=True) from error
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise TemplateFault("it fails", refused=False) from error

    def _rendered(self, named: dict[str, object]) -> str:
        try:
            return self._template.render(**named)
        except TypeError:
            if named["tools"] is not None:
                raise
            return self._template.render(**{**named, "tools": []})  # some go through the tools without a look
