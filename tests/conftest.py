"""What all tests share: none sees the settings of whoever runs them, and none fails because a machine is busy."""

import gc
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.standins.postgresql import Postgresql, running_postgresql

for name in [name for name in os.environ if name.startswith("ADUANA_")]:
    del os.environ[name]
# Names are searched for by default, by a process with a model of its own: hundreds of tests need none.
os.environ["ADUANA_INSPECTION__NAMES"] = "off"
# The judge reads what would leave: tests about something else don't depend on what it thinks of their texts.
os.environ["ADUANA_INSPECTION__JUDGE__MODE"] = "off"
# A process of its own asks clouds by default: hundreds of tests need none. Where it matters it is turned on again, and
# `ADUANA_TESTS_EGRESS=child` turns it on for all.
os.environ["ADUANA_EGRESS__PROCESS"] = os.environ.get("ADUANA_TESTS_EGRESS", "none")
# Compiled patterns are kept between tests, but not in the cache of whoever runs them.
os.environ["XDG_CACHE_HOME"] = str(Path(tempfile.gettempdir()) / f"aduana-tests-{os.getuid()}")

# Compiled modules, too, whatever whoever runs them prefers: hundreds of gateways would each compile a thousand again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Nor is the configuration of whoever runs them read.
os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_CACHE_HOME"] + "/no-configuration"

# Hypothesis measures time by default, so a busy machine would fail tests that find nothing.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_collection_finish() -> None:
    """Take the tests themselves out of the garbage collector's sight, as a gateway does with what it has at its start.

    Looking through a million objects takes more than a second on a slow core, which is all the time that an inspection
    has: where a collection fell into one, it ended in a doubt and found nothing.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A gateway in a test sets logging up for the whole process; the next test shall log as if it were the first."""
    root = logging.getLogger()
    handlers, level, settings_of_logs = root.handlers[:], root.level, structlog.get_config()
    yield
    structlog.configure(**settings_of_logs)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """A PostgreSQL server of the tests' own; skipped where there is none."""
    with running_postgresql() as server:
        yield server


@pytest.fixture
def any_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a free port where no other is configured: the usual one may be taken, by a gateway or another test."""
    monkeypatch.setenv("ADUANA_SERVER__PORT", "0")
