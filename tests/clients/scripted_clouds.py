"""The scripted model in clouds' own APIs: Anthropic's messages and OpenAI's Responses, strict about what they take."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.clients.scripted_model import BLOCKS_ARE_WANTED, Turn, pieces, task_of, text_of
from tests.standins.anthropic_cloud import StandInAnthropic
from tests.standins.responses_cloud import StandInResponses

Document = dict[str, Any]


class ScriptedAnthropic(StandInAnthropic):
    """Does the task in Anthropic's API, without thinking."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def _blocks(self, document: Document) -> Iterator[tuple[Document, list[Document]]]:
        turn = self._turn(document)
        if call := turn.call():
            name, arguments = call
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces(json.dumps(arguments))]
            yield {"type": "tool_use", "id": f"toolu_{len(turn.results)}", "name": name, "input": {}}, deltas
        else:
            yield {"type": "text", "text": ""}, [{"type": "text_delta", "text": one} for one in pieces(turn.say())]

    def _turn(self, document: Document) -> Turn:
        users = [message["content"] for message in document["messages"] if message["role"] == "user"]
        blocks = [block for content in users for block in content]
        return Turn(
            folder=self.folder,
            tools={tool["name"]: tool["input_schema"].get("properties", {}) for tool in document.get("tools", [])},
            results=[text_of(block["content"]) for block in blocks if block["type"] == "tool_result"],
            said=task_of([block["text"] for block in blocks if block["type"] == "text"]),
            blocks=BLOCKS_ARE_WANTED in json.dumps(document),
        )


class ScriptedResponses(StandInResponses):
    """Does the task in the Responses API, without thinking."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def _events(self, document: Document) -> Iterator[Document]:
        turn = self._turn(document)
        yield {"type": "response.created", "response": {"status": "in_progress"}}
        if call := turn.call():
            name, arguments = call
            text = json.dumps(arguments)
            item = {"type": "function_call", "call_id": f"call_{len(turn.results)}", "name": name, "arguments": ""}
            yield {"type": "response.output_item.added", "output_index": 0, "item": item}
            for piece in pieces(text):
                yield {"type": "response.function_call_arguments.delta", "output_index": 0, "delta": piece}
            yield {"type": "response.output_item.done", "output_index": 0, "item": item | {"arguments": text}}
        else:
            for piece in pieces(turn.say()):
                yield {"type": "response.output_text.delta", "output_index": 0, "delta": piece, "logprobs": []}
        usage = {"input_tokens": 11, "output_tokens": 5, "total_tokens": 16}
        yield {"type": "response.completed", "response": {"object": "response", "status": "completed", "usage": usage}}

    def _turn(self, document: Document) -> Turn:
        items = document["input"]
        return Turn(
            folder=self.folder,
            tools={tool["name"]: tool["parameters"].get("properties", {}) for tool in document.get("tools", [])},
            results=[text_of(item["output"]) for item in items if item.get("type") == "function_call_output"],
            said=task_of([text_of(item["content"]) for item in items if item.get("role") == "user"]),
            blocks=BLOCKS_ARE_WANTED in json.dumps(document),
        )
