"""Which directory models are kept in: the one that is named, else that of the configuration, else the usual one."""

import argparse
import sys
from pathlib import Path

from gateway.core.errors import ConfigurationError
from gateway.local.embedded.models.files import default_models_dir


def directory_of(args: argparse.Namespace) -> Path:
    """Return the model directory that the options mean, so that the gateway finds there what is brought.

    Raises:
        ConfigurationError: the configuration that is named can't be used. One that just lies here is passed over.
    """
    if args.models_dir is not None:
        return Path(args.models_dir).expanduser()
    from gateway.settings import load_settings

    try:
        return load_settings(args.config).model_directory.expanduser()
    except ConfigurationError as error:
        if args.config is not None:
            raise
        usual = default_models_dir()
        first = error.problems[0]
        print(f"The configuration here can't be used ({first}), so {usual} is taken.", file=sys.stderr)
        return usual
