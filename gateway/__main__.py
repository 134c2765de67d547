"""`python -m gateway` is `aduana`."""

import sys

from gateway.cli import main

sys.exit(main())
