"""`aduana schema policy`: the JSON Schema of policy files, for editors."""

import argparse
import json
from typing import Any

from gateway.policy.reader.json_schema import json_schema


def add_parser(subparsers: Any) -> None:
    """Options of the command."""
    parser = subparsers.add_parser(
        "schema",
        help="print the JSON Schema of policy files",
        description="Prints the JSON Schema of policy files. Save it, and name it in the first line of a policy: "
        "'# yaml-language-server: $schema=policy.schema.json'.",
    )
    parser.add_argument("what", choices=["policy"], help="whose schema")


def run(args: argparse.Namespace) -> int:
    """Runs the command."""
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return 0
