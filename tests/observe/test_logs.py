"""Logging: allow-listed keys, one line an event, nothing that could quote a request."""

import io
import json
import logging
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import pytest
import structlog

from gateway.observe.logs import configure

CANARY = "CANARY-sk-3f9a"


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_json_line() -> None:
    """An event is one JSON line of its known keys with their values, a level and a time."""
    stream = io.StringIO()
    configure("json", "info", stream=stream)
    structlog.get_logger("aduana").info("request.settled", request_id="r1", target="home", seconds=0.5)
    (line,) = lines(stream)
    assert line["event"] == "request.settled"
    assert (line["request_id"], line["target"], line["seconds"], line["level"]) == ("r1", "home", 0.5, "info")
    assert str(line["timestamp"]).startswith("20")


def test_unknown_keys_are_left_out_and_counted() -> None:
    """Of unknown keys only the number is logged: values and names could both come from a request."""
    stream = io.StringIO()
    configure("json", "debug", stream=stream)
    structlog.get_logger().warning("x", prompt=CANARY, headers={"authorization": CANARY}, **{CANARY: 1}, status=200)
    assert "CANARY" not in stream.getvalue()
    (line,) = lines(stream)
    assert (line["dropped"], line["status"]) == (3, 200)


def test_values_cannot_forge_lines_or_smuggle_objects() -> None:
    """Line ends and control characters become blanks, long texts are cut, containers show their size only."""
    stream = io.StringIO()
    configure("console", "info", stream=stream)
    structlog.get_logger().info("x", path="/a\n2026 [error] forged\x1b[31m", model="m" * 5000, reason=[CANARY])
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert "\x1b" not in text
    assert len(text) < 1200
    assert "CANARY" not in text


@pytest.mark.parametrize("shape", ["json", "console"])
def test_exceptions_show_their_kind_only(shape: str) -> None:
    """An exception is logged by its kind alone: its text may quote a request."""
    stream = io.StringIO()
    configure(shape, "info", stream=stream)
    try:
        raise ValueError(CANARY)
    except ValueError as error:
        structlog.get_logger().exception("failed")
        structlog.get_logger().error("failed", error=error)
        logging.getLogger("openai").error("could not send %s", CANARY, exc_info=True)
    assert "CANARY" not in stream.getvalue()
    assert stream.getvalue().count("ValueError") == 3


def test_other_packages_log_without_their_message() -> None:
    """asyncio's "Task exception was never retrieved", httpx's URLs: who and where, from `warning` up."""
    stream = io.StringIO()
    configure("json", "debug", stream=stream)
    logging.getLogger("httpx").info("POST https://x/%s", CANARY)
    logging.getLogger("asyncio").warning("slow %s", CANARY)
    (line,) = lines(stream)
    assert (line["event"], line["logger"], line["level"]) == ("package.log", "asyncio", "warning")
    assert "CANARY" not in stream.getvalue()


def test_the_level_is_kept() -> None:
    """Debug lines are not written at `warning`."""
    stream = io.StringIO()
    configure("json", "warning", stream=stream)
    structlog.get_logger().info("quiet")
    structlog.get_logger().error("loud")
    assert [line["event"] for line in lines(stream)] == ["loud"]


def full() -> TextIO:
    return Path("/dev/full").open("w", encoding="utf-8")


def gone() -> TextIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("output", [full, gone])
@pytest.mark.parametrize("shape", ["json", "console"])
def test_a_line_that_cannot_be_written_stops_nothing(shape: str, output: Callable[[], TextIO]) -> None:
    """A full disk or a terminal that is gone loses lines; who wanted to log goes on, other packages as well."""
    stream = output()
    configure(shape, "debug", stream=stream)
    structlog.get_logger("aduana").error("request.no_receipt", request_id="r1")
    structlog.get_logger("aduana").bind(target="home").info("target.ready")
    logging.getLogger("asyncio").error("Task exception was never retrieved")
    with suppress(OSError):
        stream.close()


def test_lines_follow_the_current_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines go to what standard error is now, not to what it was when logging was set up; without one they are lost."""
    before, after = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", before)
    configure("json", "info")
    log = structlog.get_logger("aduana").bind(target="home")
    log.info("target.loading")
    before.close()
    monkeypatch.setattr(sys, "stderr", after)
    log.info("target.ready")
    assert [line["event"] for line in lines(after)] == ["target.ready"]
    monkeypatch.setattr(sys, "stderr", None)
    log.info("target.idle")


def test_warnings_of_other_packages_are_not_shown(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may quote what a client sent, as aiohttp's about the name of a file does."""
    monkeypatch.setattr(sys, "warnoptions", [])
    configure("json", "debug", stream=io.StringIO())
    warnings.warn(CANARY, RuntimeWarning, stacklevel=1)
    assert "CANARY" not in "".join(capfd.readouterr())
