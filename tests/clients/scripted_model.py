"""A model that always does the same task: read a file, change it, run a check, say what the check printed.

It calls whatever tools the client offers: each client has names and arguments of its own for the same three steps.
`ScriptedModel` speaks OpenAI's chat completions, as a llama-server or a cloud would; `scripted_clouds.py` has the same
in other APIs.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.standins.cloud import StandInCloud

Document = dict[str, Any]
# What a tool is called with, told from the folder and the new line.
Arguments = Callable[[Path, str], Document]

FILE, CHECK = "prices.py", "check.py"
OLD = "RATE = 0.16"
PRINTED = "check passed: 121.0"

_RUN = f"python3 {CHECK}"
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# aider offers no tools: its model writes what to replace into the answer itself.
BLOCKS_ARE_WANTED = "SEARCH/REPLACE block"


def new_line(said: str) -> str:
    """Return the line that the task asks for: the rate, and who asked, as the address stands in the prompt."""
    asked_by = _ADDRESS.findall(said)
    return f"RATE = 0.21  # {asked_by[-1]}" if asked_by else "RATE = 0.21"


def _path(folder: Path) -> str:
    return str(folder / FILE)


def _patch(new: str) -> str:
    return f"*** Begin Patch\n*** Update File: {FILE}\n@@\n-{OLD}\n+{new}\n*** End Patch\n"


def _code(call: str) -> Document:
    """Return a call as Codex's newest models make it: a line of JavaScript that prints its result."""
    return {"input": f"text(await tools.{call})"}


# The steps, and for each the tools that can do it, the best one first. Where clients name an argument of the same tool
# differently, all names stand here: what the client does not offer is left out.
READ: dict[str, Arguments] = {
    "Read": lambda folder, new: {"file_path": _path(folder), "filepath": _path(folder)},
    "read": lambda folder, new: {"filePath": _path(folder)},
    "read_file": lambda folder, new: {"path": FILE},
    "read_files": lambda folder, new: {"files": [{"path": _path(folder)}]},
    "exec_command": lambda folder, new: {"cmd": f"cat {FILE}"},
    "functions__exec": lambda folder, new: _code(f"exec_command({{cmd: 'cat {FILE}'}})"),
}
EDIT: dict[str, Arguments] = {
    "Edit": lambda folder, new: {"file_path": _path(folder), "old_string": OLD, "new_string": new},
    "edit": lambda folder, new: {"filePath": _path(folder), "oldString": OLD, "newString": new},
    "replace_in_file": lambda folder, new: {"path": FILE, "old": OLD, "new": new},
    "editor": lambda folder, new: {"path": _path(folder), "old_text": OLD, "new_text": new},
    "apply_patch": lambda folder, new: {"input": _patch(new)},
    "exec_command": lambda folder, new: {"cmd": f"sed -i 's/{OLD}/{new}/' {FILE}"},
    "functions__exec": lambda folder, new: _code(f"apply_patch({json.dumps(_patch(new))})"),
}
RUN: dict[str, Arguments] = {
    "Bash": lambda folder, new: {"command": _RUN, "description": "Run the check"},
    "bash": lambda folder, new: {"command": _RUN, "description": "Run the check"},
    "run_command": lambda folder, new: {"command": _RUN},
    "run_commands": lambda folder, new: {"commands": [_RUN]},
    "exec_command": lambda folder, new: {"cmd": _RUN},
    "functions__exec": lambda folder, new: _code(f"exec_command({{cmd: '{_RUN}'}})"),
}
STEPS = (READ, EDIT, RUN)
# Typed objects that instructor asks for, as a forced tool or as a schema.
OBJECTS: dict[str, Arguments] = {
    "Change": lambda folder, new: {"path": FILE, "replacements": [{"old": OLD, "new": new}]},
    "Report": lambda folder, new: {"says": PRINTED},
}


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a model is told in a request, whatever its API.

    Attributes:
        folder: Where the task is.
        tools: The properties of each tool that is offered.
        results: What the tools gave so far.
        said: What the person said, which is where the task stands.
        schema: The name of the schema that the answer must follow.
        blocks: Whether changes are wanted as text.
    """

    folder: Path
    tools: dict[str, Document]
    results: list[str]
    said: str
    schema: str = ""
    blocks: bool = False

    def call(self) -> tuple[str, Document] | None:
        """Return the tool to call and its arguments, or None where an answer in words is due."""
        done, new = len(self.results), new_line(self.said)
        for name, arguments in (OBJECTS | (STEPS[done] if done < len(STEPS) else {})).items():
            if name in self.tools:
                wanted = arguments(self.folder, new)
                return name, {key: value for key, value in wanted.items() if key in self.tools[name]}
        return None

    def say(self) -> str:
        """Return the answer in words: what the check printed, a change as text, or a title for anything else."""
        if self.schema in OBJECTS:
            return json.dumps(OBJECTS[self.schema](self.folder, new_line(self.said)))
        if self.results:
            return f"Done. It says: {self.results[-1].strip()}"
        if self.blocks:
            new = new_line(self.said)
            return f"{FILE}\n```python\n<<<<<<< SEARCH\n{OLD}\n=======\n{new}\n>>>>>>> REPLACE\n```\n"
        return "Change a rate"


class ScriptedModel(StandInCloud):
    """Answers each request with the next step of the task, told from the results of tools that it already has."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        document = await self._keep(request)
        turn = self._turn(document)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        finish = "stop"
        if call := turn.call():
            finish = "tool_calls"
            for delta in _call_deltas(*call, number=len(turn.results)):
                await response.write(self._frame(delta, None, document))
        else:
            for piece in pieces(turn.say()):
                await response.write(self._frame({"content": piece}, None, document))
        await response.write(self._frame({}, finish, document))
        usage = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
        tail = {
            "id": "chatcmpl-standin",
            "object": "chat.completion.chunk",
            "created": 1,
            "choices": [],
            "usage": usage,
        }
        await response.write(b"data: " + json.dumps(tail).encode() + b"\n\ndata: [DONE]\n\n")
        await response.write_eof()
        return response

    def _turn(self, document: Document) -> Turn:
        tools = [tool["function"] for tool in document.get("tools", [])]
        texts = [(message["role"], text_of(message["content"])) for message in document["messages"]]
        return Turn(
            folder=self.folder,
            tools={tool["name"]: tool["parameters"].get("properties", {}) for tool in tools},
            results=[text for role, text in texts if role == "tool"],
            said=task_of([text for role, text in texts if role == "user"]),
            schema=document.get("response_format", {}).get("json_schema", {}).get("name", ""),
            blocks=BLOCKS_ARE_WANTED in json.dumps(document),
        )


def task_of(texts: list[str]) -> str:
    """Return those of a person's texts in which the task stands."""
    return "\n".join(text for text in texts if FILE in text)


def text_of(content: Any) -> str:
    """Return the text of a message, which may come in parts."""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content or ())


def pieces(text: str) -> list[str]:
    """Return a text cut as a stream may cut it."""
    return re.findall(r"(?s).{1,16}", text)


def _call_deltas(name: str, arguments: Document, *, number: int) -> list[Document]:
    """Return a call as the chunks of a stream: its head, then its arguments in pieces."""
    head = {"index": 0, "id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": ""}}
    rest = [{"index": 0, "function": {"arguments": piece}} for piece in pieces(json.dumps(arguments))]
    return [{"tool_calls": [one]} for one in (head, *rest)]
