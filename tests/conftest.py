"""What all tests share: none sees the settings of whoever runs them, and none fails because a machine is busy."""

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings

for name in [name for name in os.environ if name.startswith("ADUANA_")]:
    del os.environ[name]
# Names are searched for by default, by a process with a model of its own: hundreds of tests need none.
os.environ["ADUANA_INSPECTION__NAMES"] = "off"
# The judge reads what would leave: tests about something else don't depend on what it thinks of their texts.
os.environ["ADUANA_INSPECTION__JUDGE__MODE"] = "off"
# Compiled patterns are kept between tests, but not in the cache of whoever runs them.
os.environ["XDG_CACHE_HOME"] = str(Path(tempfile.gettempdir()) / f"aduana-tests-{os.getuid()}")

# Hypothesis measures time by default, so a busy machine would fail tests that find nothing.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
