"""The gitleaks rules (MIT, see NOTICE) as detectors: RE2 expressions with keywords, entropy and allow-lists.

Read once from the packaged file. The rules are made for files; those that need a path are left out.
"""

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import re2 as untyped_re2

from gateway.privacy.detectors.credentials.names import is_named_otherwise
from gateway.privacy.detectors.credentials.placeholders import is_placeholder
from gateway.privacy.detectors.detector import entropy, is_version
from gateway.privacy.patterns import late

re2: Any = untyped_re2  # the package has no types

LEFT_OUT = frozenset(
    {"freemius-secret-key", "hashicorp-tf-password", "kubernetes-secret-yaml", "nuget-config-password"}
)
_GENERIC = "generic-api-key"
_SIGN = late(r"[^\w.\-]")
_KINDS = (
    ("private-key", "secret.private_key"),
    ("password", "secret.password"),
    ("jwt", "secret.token"),
    ("token", "secret.token"),
)


class VendorRule:
    """One rule, compiled when it is first needed."""

    def __init__(self, rule: dict[str, Any], stopwords: tuple[str, ...], allowed: tuple[str, ...]) -> None:
        self.name: str = rule["id"]
        self.category = next((category for word, category in _KINDS if word in self.name), "secret.api_key")
        self.expression: str = rule["regex"]
        self.keywords = tuple(word.lower() for word in rule.get("keywords", ()))
        self._entropy = float(rule.get("entropy", 0.0))
        self._group = int(rule.get("secretGroup", 0))
        lists = rule.get("allowlists", ())
        self._allowed = (*allowed, *(item for entry in lists for item in entry.get("regexes", ())))
        self._stopwords = (*stopwords, *(word for entry in lists for word in entry.get("stopwords", ())))
        self._compiled: Any = None
        self._exceptions: tuple[Any, ...] = ()

    def find(self, text: str, folded: str) -> Iterator[tuple[int, int]]:
        """Yield start and end of each secret. `folded` is the text in lower case."""
        if self.keywords and not any(word in folded for word in self.keywords):
            return
        if self._compiled is None:
            self._exceptions = tuple(re2.compile(item) for item in self._allowed)
            self._compiled = re2.compile(self.expression)
        for match in self._compiled.finditer(text):
            group = self._group or next((n for n in range(1, self._compiled.groups + 1) if match[n]), 0)
            secret: str = match[group]
            if self._entropy and entropy(secret) <= self._entropy:
                continue
            lowered = secret.lower()
            if any(word in lowered for word in self._stopwords) or any(
                item.search(secret) for item in self._exceptions
            ):
                continue
            if text.endswith("h1:", 0, match.start(group)):
                continue  # the sum of a module in go.sum, whatever the module's name
            if is_version(text, *match.span(group)):
                continue
            if self.name == _GENERIC and _refers(text, match.start(), match.start(group), secret):
                continue
            yield match.span(group)


def _refers(text: str, start: int, value_start: int, value: str) -> bool:
    """Tell whether a hit of the rule for any key is a name or a placeholder."""
    sign = _SIGN.search(text, start, value_start)
    end = sign.start() if sign is not None else value_start
    return is_placeholder(value) or is_named_otherwise(text, start, end, value_start, value)


@cache
def vendor_rules() -> tuple[VendorRule, ...]:
    """Return all rules that look at content."""
    data = tomllib.loads(files("gateway.privacy").joinpath("data/gitleaks.toml").read_text("utf-8"))
    common = data["allowlist"]
    stopwords, allowed = tuple(common.get("stopwords", ())), tuple(common.get("regexes", ()))
    return tuple(
        VendorRule(rule, stopwords, allowed) for rule in data["rules"] if "regex" in rule and rule["id"] not in LEFT_OUT
    )
