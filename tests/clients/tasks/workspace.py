"""The three tools that every library gets, and what the script was told."""

import os
import subprocess
import sys
from pathlib import Path

URL, KEY = os.environ["GATEWAY_URL"], os.environ["GATEWAY_KEY"]
PROMPT = sys.argv[1]


def read_file(path: str) -> str:
    """Read a file.

    Args:
        path: The file's name.
    """
    return Path(path).read_text(encoding="utf-8")


def replace_in_file(path: str, old: str, new: str) -> str:
    """Replace a text in a file.

    Args:
        path: The file's name.
        old: What stands there.
        new: What shall stand there.
    """
    file = Path(path)
    before = file.read_text(encoding="utf-8")
    file.write_text(before.replace(old, new), encoding="utf-8")
    return f"replaced {before.count(old)} time(s)"


def run_command(command: str) -> str:
    """Run a command and return what it prints.

    Args:
        command: The command line.
    """
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


TOOLS = {"read_file": read_file, "replace_in_file": replace_in_file, "run_command": run_command}
SCHEMAS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"{name} in the folder of the task",
            "parameters": {
                "type": "object",
                "properties": {argument: {"type": "string"} for argument in arguments},
                "required": list(arguments),
            },
        },
    }
    for name, arguments in {
        "read_file": ("path",),
        "replace_in_file": ("path", "old", "new"),
        "run_command": ("command",),
    }.items()
]
