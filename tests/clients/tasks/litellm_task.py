"""litellm as a client: a loop over its `completion`, by the provider that its model's name begins with."""

import json
import sys

import litellm
from workspace import KEY, PROMPT, SCHEMAS, TOOLS, URL

base = {"openai": URL + "/v1", "anthropic": URL, "ollama_chat": URL}[sys.argv[2]]
messages = [{"role": "user", "content": PROMPT}]
while True:
    answer = litellm.completion(
        model=f"{sys.argv[2]}/auto", api_base=base, api_key=KEY, messages=messages, tools=SCHEMAS, num_retries=0
    )
    message = answer.choices[0].message
    messages.append(message.model_dump())
    if not message.tool_calls:
        break
    for call in message.tool_calls:
        result = TOOLS[call.function.name](**json.loads(call.function.arguments))
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
print(message.content)
