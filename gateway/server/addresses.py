"""What a path tells without a route: whose dialect a client speaks there, and what is wrong with an address. Pure."""

from collections.abc import Iterable, Mapping

from gateway.core.request import Dialect

_VERSION = "/v1"
_OPENAI = (
    "/chat/",
    "/completions",
    "/embeddings",
    "/responses",
    "/conversations",
    "/files",
    "/batches",
    "/rerank",
    "/reranking",
    "/moderations",
    "/systemone",
    "/decisions",
    "/images",
    "/audio",
)
# llama-server's own addresses. Source: tools/server/README.md of llama.cpp.
_LLAMACPP = frozenset(
    {
        "/completion",
        "/embedding",
        "/infill",
        "/tokenize",
        "/detokenize",
        "/apply-template",
        "/props",
        "/slots",
        "/health",
    }
)
_NO_ROUTE = (
    "There is no such route here. As the base URL, OpenAI's apps want http://HOST:PORT/v1; Anthropic's, Ollama's and "
    "llama.cpp's want http://HOST:PORT. The documentation lists what each API can do here."
)
# What OpenAI and Anthropic serve and this gateway does not. Sources: both companies' API references.
_ELSEWHERE = (
    "/assistants",
    "/batches",
    "/containers",
    "/evals",
    "/files",
    "/fine_tuning",
    "/realtime",
    "/threads",
    "/uploads",
    "/vector_stores",
    "/videos",
)
_LONGEST_PREFIX = 60  # characters of a client's path that an error may show


def dialect_of(path: str, headers: Mapping[str, str]) -> Dialect:
    """Return the dialect in which a client of this path reads errors; also where there is no such route."""
    plain = path
    while plain.startswith((f"{_VERSION}/v1", f"{_VERSION}/api/")):
        plain = plain.removeprefix(_VERSION)
    bare = plain.removeprefix(_VERSION)
    if plain.startswith("/api/") and _VERSION not in plain:
        return Dialect.OLLAMA
    if plain.startswith("/sdapi/"):
        return Dialect.A1111
    if bare.startswith("/messages"):
        return Dialect.ANTHROPIC
    if bare in _LLAMACPP:
        return Dialect.LLAMACPP
    if "anthropic-version" in headers and not bare.startswith(_OPENAI):
        return Dialect.ANTHROPIC
    return Dialect.OPENAI


def advice(path: str, known: Iterable[str]) -> str:
    """Return what is wrong with a path that has no route: most often an app's base URL has too much in it.

    Args:
        path: The path that was asked for.
        known: The paths that have routes.
    """
    bare = f"{path.removeprefix(_VERSION)}/"
    if found := next((name for name in _ELSEWHERE if bare.startswith(f"{name}/")), None):
        return f"This gateway doesn't serve {_VERSION}{found}. The base URL is right: switch off what needs it."
    right = max((one for one in known if len(one) > 1 and path.endswith(one)), key=len, default=None)
    if right is None:
        return _NO_ROUTE
    extra = path[: -len(right)]
    if len(extra) > _LONGEST_PREFIX or not extra.isprintable():
        return _NO_ROUTE
    if extra == _VERSION and right.startswith(_VERSION):
        return "The path says /v1 twice. Take '/v1' off the app's base URL: the app adds it by itself."
    return f"There is no such route here, but there is {right}. Take {extra!r} off the app's base URL."
