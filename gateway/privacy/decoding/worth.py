"""Which views of a text are worth making, where no pass of Hyperscan has said so. Pure.

RE2 takes time in proportion to the text; like Hyperscan it reads bytes, in UTF-8.
"""

from collections.abc import Collection
from typing import Any

import re2 as untyped_re2

from gateway.privacy.decoding.views import TRIGGERS, ViewKind

re2: Any = untyped_re2  # the package has no types


def _compiled(expression: str) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # every byte is a character
    return re2.compile(expression.encode(), options)


# One for each: one of all together has more states than RE2 keeps. On texts that are new it takes two to four times as
# long as these, and on long ones of random words fifteen times.
_PATTERNS = {kind: _compiled(expression) for kind, expression in TRIGGERS.items()}


def kinds_of(text: str, among: Collection[ViewKind] = TRIGGERS.keys()) -> frozenset[ViewKind]:
    """Return the kinds of views that a text is worth."""
    data = text.encode("utf-8", "replace")
    return frozenset(kind for kind in among if _PATTERNS[kind].search(data))
