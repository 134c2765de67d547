"""Grow the output items of a response; each knows the events of its beginning, its pieces and its end. Pure."""

from typing import Any, TypeAlias

from gateway.core.delta import Delta, ModelRefusal, Reasoning, Text, TokenLogprob, ToolCallPart
from gateway.core.errors import TargetProtocolError
from gateway.wire.encoding import finite
from gateway.wire.responses.sealed_thoughts import ENCRYPTED
from gateway.wire.responses.tools import Tool, unwrapped_input

Events: TypeAlias = list[dict[str, Any]]


def _logprob(one: TokenLogprob) -> dict[str, Any]:
    top = [{"token": token, "logprob": finite(value), "bytes": list(raw)} for token, value, raw in one.top]
    return {"token": one.token, "logprob": finite(one.logprob), "bytes": list(one.raw), "top_logprobs": top}


class MessageItem:
    """Output item with the answer's text, or with the model's refusal."""

    def __init__(self, unique: str, output_index: int, part: str) -> None:
        self.part = part
        self._pieces: list[str] = []
        self._status = "in_progress"
        self._logprobs: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []
        self._id = f"msg_{unique}_{output_index}"
        self._where = {"output_index": output_index}
        self._place = {"item_id": self._id, "output_index": output_index, "content_index": 0}

    def begin(self) -> Events:
        """Return the events that open the item."""
        item = {"id": self._id, "type": "message", "role": "assistant", "status": self._status, "content": []}
        return [
            {"type": "response.output_item.added", **self._where, "item": item},
            {"type": "response.content_part.added", **self._place, "part": self._content("")},
        ]

    def add(self, delta: Delta) -> Events:
        """Take the next piece of the item and return its events."""
        assert isinstance(delta, Text | ModelRefusal)
        self._pieces.append(delta.text)
        fields: dict[str, Any] = {"delta": delta.text}
        if isinstance(delta, Text):
            logprobs = [_logprob(one) for one in delta.logprobs]
            self._logprobs += logprobs
            fields["logprobs"] = logprobs
        return [{"type": f"response.{self.part}.delta", **self._place, **fields}]

    def annotate(self, annotation: dict[str, Any]) -> Events:
        """Take what the provider says about the text, in the form of chat completions, and return its event."""
        kind = annotation.get("type")
        inner = annotation.get(str(kind))
        flat = {"type": kind, **inner} if isinstance(inner, dict) else annotation
        self._annotations.append(flat)
        number = len(self._annotations) - 1
        added = "response.output_text.annotation.added"
        return [{"type": added, **self._place, "annotation_index": number, "annotation": flat}]

    def done(self, status: str) -> Events:
        """Return the events that close the item, which is `completed` or was cut: `incomplete`."""
        self._status = status
        text = "".join(self._pieces)
        said = {"refusal": text} if self.part == "refusal" else {"text": text, "logprobs": self._logprobs}
        return [
            {"type": f"response.{self.part}.done", **self._place, **said},
            {"type": "response.content_part.done", **self._place, "part": self._content(text)},
            {"type": "response.output_item.done", **self._where, "item": self.whole()},
        ]

    def whole(self) -> dict[str, Any]:
        """Return the finished item."""
        content = [self._content("".join(self._pieces))]
        return {"id": self._id, "type": "message", "role": "assistant", "status": self._status, "content": content}

    def _content(self, text: str) -> dict[str, Any]:
        if self.part == "refusal":
            return {"type": "refusal", "refusal": text}
        return {"type": "output_text", "text": text, "annotations": self._annotations, "logprobs": self._logprobs}


class ReasoningItem:
    """Output item with what the model thinks before it answers: in plain words, or sealed by its provider."""

    def __init__(self, unique: str, output_index: int, part: str) -> None:
        self.part = part
        self._pieces: list[str] = []
        self._sealed = ""
        self._status = "in_progress"
        self._id = f"rs_{unique}_{output_index}"
        self._where = {"output_index": output_index}
        self._place = {"item_id": self._id, "output_index": output_index, "content_index": 0}

    def begin(self) -> Events:
        """Return the events that open the item."""
        item = {"id": self._id, "type": "reasoning", "summary": [], "content": [], "status": self._status}
        return [{"type": "response.output_item.added", **self._where, "item": item}]

    def add(self, delta: Delta) -> Events:
        """Take the next piece of the item and return its events."""
        assert isinstance(delta, Reasoning)
        part = {"type": "reasoning_text", "text": ""}
        opened: Events = [{"type": "response.content_part.added", **self._place, "part": part}]
        self._pieces.append(delta.text)
        said = {"type": "response.reasoning_text.delta", **self._place, "delta": delta.text}
        return [*(opened if len(self._pieces) == 1 else ()), said]

    def seal(self, data: str) -> None:
        """Take what its provider alone can read."""
        self._sealed = data

    def done(self, status: str) -> Events:
        """Return the events that close the item, which is `completed` or was cut: `incomplete`."""
        self._status = status
        text = "".join(self._pieces)
        part = {"type": "reasoning_text", "text": text}
        said: Events = [
            {"type": "response.reasoning_text.done", **self._place, "text": text},
            {"type": "response.content_part.done", **self._place, "part": part},
        ]
        done = {"type": "response.output_item.done", **self._where, "item": self.whole()}
        return [*(said if self._pieces else ()), done]

    def whole(self) -> dict[str, Any]:
        """Return the finished item."""
        content = [{"type": "reasoning_text", "text": "".join(self._pieces)}] if self._pieces else []
        item = {"id": self._id, "type": "reasoning", "summary": [], "content": content, "status": self._status}
        return item | ({ENCRYPTED: self._sealed} if self._sealed else {})


class CallItem:
    """Output item with a call of a function, or of a custom tool; the latter's input is text, known only at the end."""

    def __init__(self, unique: str, output_index: int, first: ToolCallPart, tool: Tool) -> None:
        self.call = first.call
        self._tool = tool
        self._pieces: list[str] = []
        self._status = "in_progress"
        self._call_id = first.id or f"call_{unique}_{output_index}"
        self._id = f"{'ctc' if tool.custom else 'fc'}_{unique}_{output_index}"
        self._where = {"output_index": output_index}
        self._place = {"item_id": self._id, "output_index": output_index}

    def begin(self) -> Events:
        """Return the events that open the item."""
        return [{"type": "response.output_item.added", **self._where, "item": self._item("")}]

    def add(self, delta: Delta) -> Events:
        """Take the next piece of the item and return its events."""
        assert isinstance(delta, ToolCallPart)
        self._pieces.append(delta.arguments)
        if self._tool.custom or not delta.arguments:
            return []
        return [{"type": "response.function_call_arguments.delta", **self._place, "delta": delta.arguments}]

    def done(self, status: str) -> Events:
        """Return the events that close the item, which is `completed` or was cut: `incomplete`."""
        self._status = status
        text = self._text()
        if self._tool.custom:
            said: Events = [
                {"type": "response.custom_tool_call_input.delta", **self._place, "delta": text},
                {"type": "response.custom_tool_call_input.done", **self._place, "input": text},
            ]
        else:
            name = {"name": self._tool.name}
            said = [{"type": "response.function_call_arguments.done", **self._place, **name, "arguments": text}]
        return [*said, {"type": "response.output_item.done", **self._where, "item": self.whole()}]

    def whole(self) -> dict[str, Any]:
        """Return the finished item."""
        return self._item(self._text())

    def _text(self) -> str:
        arguments = "".join(self._pieces)
        if not self._tool.custom:
            return arguments
        try:
            return unwrapped_input(arguments)
        except TargetProtocolError:
            if self._status == "incomplete":
                return ""  # half of the wrapping, which is not the client's
            raise

    def _item(self, text: str) -> dict[str, Any]:
        kind = {"type": "custom_tool_call", "input": text} if self._tool.custom else self._function(text)
        item = {"id": self._id, "call_id": self._call_id, "name": self._tool.name, "status": self._status, **kind}
        return item | ({"namespace": self._tool.namespace} if self._tool.namespace else {})

    @staticmethod
    def _function(arguments: str) -> dict[str, Any]:
        return {"type": "function_call", "arguments": arguments}


Item: TypeAlias = MessageItem | ReasoningItem | CallItem
