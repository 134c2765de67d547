"""Where OpenAI-compatible servers answer, relative to their base URL. Pure."""

from gateway.core.request import Endpoint

PATHS = {
    Endpoint.CHAT: "/chat/completions",
    Endpoint.COMPLETIONS: "/completions",
    Endpoint.EMBEDDINGS: "/embeddings",
    Endpoint.RERANK: "/rerank",
}
