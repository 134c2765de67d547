"""structlog, imported without rich: who serves imports this file first, and structlog is then there already.

It would load rich for tracebacks in colours, which no log of ours has: 4 MB and a twentieth of a start.
"""

import sys

_hidden = "rich" not in sys.modules
if _hidden:
    sys.modules["rich"] = None  # type: ignore[assignment]  # to Python: there is no such package

import structlog  # noqa: E402, F401

if _hidden:
    del sys.modules["rich"]
