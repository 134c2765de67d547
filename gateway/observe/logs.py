"""How the gateway logs: one line an event, JSON or for people, with allow-listed keys only.

INVARIANT: no prompt, answer, key or header value is logged at any level. A field whose name is not in `KEYS` is left
out of the line, and the line says which (`dropped`). Texts are cut, and line ends can't forge a second line. Records
of other packages keep their level, logger and the name of the exception, never their message: it may quote a request.
Their warnings, which are for developers and may quote one too, are not shown at all, unless Python is told to (`-W`).

A line that can't be written (a full disk, a terminal or pipe that is gone) is lost; the work that wanted to say it
goes on. No log line is worth a request, a receipt or a background task.
"""

import logging
import sys
import warnings
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

KEYS = frozenset(
    {
        "event", "level", "logger", "timestamp", "dropped",
        "request_id", "method", "path", "status", "seconds", "bytes", "code", "outcome", "attempt", "attempts",
        "target", "source", "zone", "model", "label", "rule", "reason", "key", "dialect", "endpoint",
        "url", "file", "line", "place", "problem", "error", "cause", "kept", "before", "digest", "policy", "version",
        "host", "port", "pid", "signal", "seed", "name", "observer", "requests", "server", "tokens", "input", "output",
        "drain_seconds", "retry_after", "wait_seconds", "load_seconds", "slots", "context", "device", "watts",
        "exit_code", "meant", "percent", "restart_in", "retry_in", "until", "worker",
    }
)  # fmt: skip
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_LONGEST = 500
_EVENT = "event"


def configure(
    format: str = "console",  # noqa: A002
    level: str = "info",
    *,
    stream: TextIO | None = None,
    worker: int | None = None,
) -> None:
    """Set logging up for the whole process. `format`: `console` or `json`; `level`: debug, info, warning, error.

    Args:
        format: How lines look.
        level: The least grave events that are written.
        stream: Where lines go; else to what `sys.stderr` is when a line is written.
        worker: Number of this process, where several answer: it stands in each line. None: it is the only one.
    """
    output = _Output(stream)
    threshold = LEVELS[level]
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        allow_listed,
    ]
    if worker is not None:
        shared.append(lambda _, __, event: {**event, "worker": worker})
    ends: list[Processor] = (
        [structlog.processors.JSONRenderer()]
        if format == "json"
        else [structlog.dev.ConsoleRenderer(colors=output.isatty(), exception_formatter=structlog.dev.plain_traceback)]
    )
    structlog.configure(
        processors=[*shared, *ends],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", output)),
        cache_logger_on_first_use=False,
    )
    handler = _Foreign([*shared, *ends], output)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(threshold, logging.WARNING))
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


class _Output:
    """What lines are written to: as much of a text file as loggers use, and never an exception."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write `text`, or lose it."""
        with suppress(OSError, ValueError, AttributeError):  # AttributeError: without a console `sys.stderr` is None
            (self._stream or sys.stderr).write(text)

    def flush(self) -> None:
        """Hand on what is buffered, or lose it."""
        with suppress(OSError, ValueError, AttributeError):
            (self._stream or sys.stderr).flush()

    def isatty(self) -> bool:
        """Say whether somebody reads along on a terminal."""
        with suppress(ValueError, AttributeError):
            return (self._stream or sys.stderr).isatty()
        return False


def allow_listed(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keep known keys with short, plain, one-line values; never an exception's text or stack."""
    kept: EventDict = {}
    dropped: list[str] = []
    for name, value in event.items():
        if name in ("exc_info", "stack_info", "exception", "stack"):
            kind = _kind(value)
            if kind is not None:
                kept["error"] = kind
        elif name in KEYS:
            kept[name] = _plain(value)
        else:
            dropped.append(name)
    if dropped:
        # Names are words of the code, but a mapping that came from outside could have been spread into them.
        kept["dropped"] = len(dropped)
    return kept


def _kind(value: object) -> str | None:
    if isinstance(value, BaseException):
        return type(value).__name__
    if isinstance(value, tuple) and value and isinstance(value[0], type):
        return value[0].__name__
    if value:
        current = sys.exc_info()[0]
        return current.__name__ if current is not None else None
    return None


def _plain(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            text = value
        case BaseException():
            return type(value).__name__
        case Mapping() | list() | tuple() | set() | frozenset():
            return f"{type(value).__name__} of {len(value)}"
        case _:
            text = str(value)
    text = "".join(character if character.isprintable() else " " for character in text)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


class _Foreign(logging.Handler):
    """Handler for other packages' records: the same output, without their messages."""

    def __init__(self, processors: list[Processor], output: _Output) -> None:
        super().__init__()
        self._processors = processors
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        """Log one line: who logged, how bad it is, which exception, where in the code."""
        event: Any = {
            _EVENT: "package.log",
            "logger": record.name,
            "place": f"{record.module}:{record.lineno}",
            "exc_info": record.exc_info,
        }
        for processor in self._processors:
            event = processor(None, record.levelname.lower(), event)
        self._output.write(f"{event}\n")
        self._output.flush()
