"""`aduana schema`: the JSON Schema of policies or of `aduana.yaml`, for editors."""

import argparse
import json
from typing import Any

from gateway.policy.reader import json_schema as policy_schema
from gateway.settings import json_schema as config_schema


def add_parser(subparsers: Any) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "schema",
        help="print the JSON Schema of policies or of aduana.yaml, for editors",
        description="Prints a JSON Schema. Save it, and name it in the first line of the file that you edit: "
        "'# yaml-language-server: $schema=policy.schema.json'. Your editor then completes names, explains them and "
        "marks mistakes.",
    )
    parser.add_argument(
        "what",
        nargs="?",
        choices=["policy", "config"],
        default="policy",
        help="policy: of policy files (the default); config: of aduana.yaml",
    )


def run(args: argparse.Namespace) -> int:
    """Print the schema."""
    schema = config_schema.json_schema() if args.what == "config" else policy_schema.json_schema()
    print(json.dumps(schema, indent=2, ensure_ascii=False))
    return 0
