"""Cases: made-up requests in a file, `{"given": {…}}`, as counterexamples are printed."""

from gateway.core.errors import ConfigurationError
from gateway.core.yaml_source import Source
from gateway.policy.compiled import Policy
from gateway.policy.model import Given
from gateway.policy.read_expectations import read_given
from gateway.policy.reading import Names, Reading


def is_case(source: Source) -> bool:
    """Whether a file holds a case, and not a request body."""
    return isinstance(source.value, dict) and set(source.value) == {"given"}


def read_case(source: Source, policy: Policy) -> Given:
    """The case in a file. Raises ConfigurationError."""
    problems: list[str] = []
    names = Names(policy.catalog, {}, policy.document.tags, policy.document.rates)
    value = source.value if isinstance(source.value, dict) else {}
    given = read_given(Reading(source, names, problems), ("given",), value.get("given"))
    if problems:
        raise ConfigurationError(tuple(problems))
    return given
