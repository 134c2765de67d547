"""The table of routes: every address that is served, whose dialect it speaks, who may use it and what it does.

The application, `/openapi.json` and the tests of authentication, inspection, receipts, error shapes and limits are made
from it, so that no address can be there without them. A new address is one row in the file of its dialect.
"""

from gateway.server.handlers.table.a1111 import a1111_rows
from gateway.server.handlers.table.anthropic import anthropic_rows
from gateway.server.handlers.table.batches import batches_rows
from gateway.server.handlers.table.console import console_rows
from gateway.server.handlers.table.gateway import gateway_rows
from gateway.server.handlers.table.llamacpp import llamacpp_rows
from gateway.server.handlers.table.media import audio_rows, images_rows
from gateway.server.handlers.table.ollama import ollama_rows
from gateway.server.handlers.table.openai import openai_rows
from gateway.server.handlers.table.responses import conversations_rows, responses_rows
from gateway.server.handlers.table.route import TEXT, Access, ConsolePages, Handlers, HttpRoute, Work

__all__ = ["ROUTES", "TEXT", "Access", "ConsolePages", "Handlers", "HttpRoute", "Work"]

ROUTES: tuple[HttpRoute, ...] = (
    *openai_rows(), *responses_rows(), *conversations_rows(), *batches_rows(), *images_rows(), *a1111_rows(),
    *audio_rows(), *anthropic_rows(), *ollama_rows(), *llamacpp_rows(), *gateway_rows(),
    *console_rows(),
)  # fmt: skip
