"""Ollama's own package: a loop over its `chat`, with Python functions as tools, streamed."""

import sys

import ollama
from workspace import KEY, PROMPT, TOOLS, URL

client = ollama.Client(host=URL, headers={"Authorization": f"Bearer {KEY}"})
messages: list = [{"role": "user", "content": PROMPT}]
while True:
    calls, said = [], ""
    for part in client.chat(model="auto", messages=messages, tools=list(TOOLS.values()), stream=True):
        said += part.message.content or ""
        calls += part.message.tool_calls or []
    if not calls:
        break
    messages.append({"role": "assistant", "content": said, "tool_calls": calls})
    for call in calls:
        result = TOOLS[call.function.name](**call.function.arguments)
        messages.append({"role": "tool", "tool_name": call.function.name, "content": result})
print(said, file=sys.stdout)
