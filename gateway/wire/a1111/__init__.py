"""AUTOMATIC1111's dialect, as the server uses it: request bytes in, answer bytes out. Pure.

Its bodies become OpenAI documents, which are what is inspected and sent. Must not import another dialect but OpenAI's.
"""

from gateway.wire.a1111.answers import PicturesAssembly, error_body
from gateway.wire.a1111.lists import LISTS, models_body, options_body, progress_body
from gateway.wire.a1111.requests import parse_options, parse_pictures

__all__ = [
    "LISTS",
    "PicturesAssembly",
    "error_body",
    "models_body",
    "options_body",
    "parse_options",
    "parse_pictures",
    "progress_body",
]
