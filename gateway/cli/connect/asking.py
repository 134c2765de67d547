"""`aduana connect APP --check`: the gateway is asked in the app's way, and says whether that works."""

import base64
import http.client
import json
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import msgspec

from gateway.cli.connect.app import App, Connection, Dialect
from gateway.cli.lines import harmless
from gateway.core.translation import Translator

_SECONDS = 180  # a model may have to be loaded first
_AT_ONCE = 2.0  # seconds
_ANSWER_TOKENS = 16
_QUESTION = [{"role": "user", "content": "Say hello."}]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was tried."""

    good: bool
    told: str


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request in an app's dialect."""

    path: str
    body: dict[str, Any] | None = None
    """None: a GET."""
    headers: dict[str, str] = {}


class _Failed(Exception):
    """The gateway did not answer, or with an error."""


def check(app: App, to: Connection, say: Translator) -> list[Step]:
    """Return what came of asking: the list of models, then one short question. It ends with the first failure."""
    seen_from = to.from_container() if app.container else to
    host = urlsplit(seen_from.url).netloc
    steps: list[Step] = []
    try:
        listed, _ = _ask(to, listing(app.dialect, to), host, say)
        steps.append(Step(good=True, told=say("The gateway at {url} answers, and takes the key.", url=to.url)))
        names = _names(listed)
        if app.dialect is Dialect.A1111:
            steps.append(Step(good=True, told=say("It has {count} models for pictures.", count=len(names))))
            return steps
        if to.model not in names:
            told = say("No model is listed as {model}; there are: {names}.", model=to.model, names=", ".join(names))
            steps.append(Step(good=True, told=told))
        window = _window(listed, to.model)
        if app.tells_window and window is not None and window != to.window:
            told = say("The window is {window} tokens; the app is told {other}.", window=window, other=to.window)
            steps.append(Step(good=True, told=f"{told} --window {window}"))
        begun = time.monotonic()
        _, headers = _ask(to, question(app.dialect, to), host, say)
        told = say(
            "{call} answered in {seconds} s: target {target}, zone {zone}, label {label}.",
            call=question(app.dialect, to).path,
            seconds=f"{time.monotonic() - begun:.1f}",
            **{name: headers.get(f"x-aduana-{name}", "?") for name in ("target", "zone", "label")},
        )
        steps.append(Step(good=True, told=told))
    except _Failed as failure:
        steps.append(Step(good=False, told=str(failure)))
    return [msgspec.structs.replace(step, told=harmless(step.told)) for step in steps]


def asked_window(to: Connection) -> int | None:
    """Return the window of the model as a running gateway has it; None: none answers at once, or it does not know."""
    try:
        listed, _ = _ask(to, listing(Dialect.CHAT, to), urlsplit(to.url).netloc, Translator({}, "en"), _AT_ONCE)
    except _Failed:
        return None
    return _window(listed, to.model)


def _window(listed: Any, name: str) -> int | None:
    """Return the window of a model in a list of models in OpenAI's form."""
    models = listed.get("data") if isinstance(listed, dict) else None
    found = [model for model in models or () if isinstance(model, dict) and model.get("id") == name]
    window = found[0].get("context_length") if found else None
    return window if isinstance(window, int) and window > 0 else None


def listing(dialect: Dialect, to: Connection) -> Call:
    """Return how an app asks what models there are."""
    match dialect:
        case Dialect.CHAT | Dialect.RESPONSES:
            return Call(path="/v1/models", headers=_bearer(to))
        case Dialect.MESSAGES:
            return Call(path="/v1/models", headers=_bearer(to) | {"anthropic-version": "2023-06-01"})
        case Dialect.OLLAMA:
            return Call(path="/api/tags", headers=_bearer(to))
        case Dialect.A1111:
            pair = base64.b64encode(f"aduana:{to.key_text}".encode()).decode()
            return Call(path="/sdapi/v1/sd-models", headers={"authorization": f"Basic {pair}"} if to.needs_key else {})


def question(dialect: Dialect, to: Connection) -> Call:
    """Return how an app asks a model."""
    headers = listing(dialect, to).headers
    match dialect:
        case Dialect.CHAT | Dialect.A1111:
            body = {"model": to.model, "messages": _QUESTION, "max_tokens": _ANSWER_TOKENS}
            return Call(path="/v1/chat/completions", body=body, headers=headers)
        case Dialect.RESPONSES:
            body = {"model": to.model, "input": _QUESTION, "max_output_tokens": _ANSWER_TOKENS, "store": False}
            return Call(path="/v1/responses", body=body, headers=headers)
        case Dialect.MESSAGES:
            body = {"model": to.model, "messages": _QUESTION, "max_tokens": _ANSWER_TOKENS}
            return Call(path="/v1/messages", body=body, headers=headers)
        case Dialect.OLLAMA:
            options = {"num_predict": _ANSWER_TOKENS}
            body = {"model": to.model, "messages": _QUESTION, "stream": False, "options": options}
            return Call(path="/api/chat", body=body, headers=headers)


def _bearer(to: Connection) -> dict[str, str]:
    return {"authorization": f"Bearer {to.key_text}"} if to.needs_key else {}


def _ask(
    to: Connection, call: Call, host: str, say: Translator, seconds: float = _SECONDS
) -> tuple[Any, dict[str, str]]:
    """Return an answer and its headers.

    Raises:
        _Failed: There is none.
    """
    data = None if call.body is None else json.dumps(call.body).encode()
    headers = {"content-type": "application/json", "host": host, **call.headers}
    request = urllib.request.Request(to.url + call.path, data=data, headers=headers)  # noqa: S310 - an http address
    proxies = urllib.request.ProxyHandler({} if to.on_loopback else None)
    try:
        with urllib.request.build_opener(proxies).open(request, timeout=seconds) as answer:
            return json.load(answer), {name.lower(): value for name, value in answer.headers.items()}
    except urllib.error.HTTPError as error:
        raise _Failed(f"{call.path}: {_told(error, say)}") from error
    except (OSError, ValueError, RecursionError, http.client.HTTPException) as error:
        cause = getattr(error, "reason", error)
        reason = getattr(cause, "strerror", None) or cause
        raise _Failed(
            say("No gateway answers at {url}: {reason}. Is it running?", url=to.url, reason=reason)
        ) from error


def _told(error: urllib.error.HTTPError, say: Translator) -> str:
    try:
        said = json.load(error)
        inner = said.get("error", said.get("detail"))
        return str(inner["message"] if isinstance(inner, dict) else inner or said)
    except (OSError, ValueError, KeyError, AttributeError, RecursionError, http.client.HTTPException):
        return say("the gateway answered with status {status}.", status=error.code)


def _names(listed: Any) -> list[str]:
    """Return the names in a list of models, whatever the dialect."""
    models = listed.get("data", listed.get("models", [])) if isinstance(listed, dict) else listed
    named = [model for model in models if isinstance(model, dict)] if isinstance(models, list) else []
    return [str(model.get("id") or model.get("name") or model.get("title")) for model in named]
