"""pydantic-ai: an agent with three tools, over chat completions, Responses or Anthropic's messages."""

import sys

from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from workspace import KEY, PROMPT, TOOLS, URL

openai = OpenAIProvider(base_url=URL + "/v1", api_key=KEY)
match sys.argv[2]:
    case "chat":
        model = OpenAIChatModel("auto", provider=openai)
    case "responses":
        model = OpenAIResponsesModel("auto", provider=openai)
    case _:
        model = AnthropicModel("auto", provider=AnthropicProvider(base_url=URL, api_key=KEY))
print(Agent(model, instructions="You change files.", tools=list(TOOLS.values())).run_sync(PROMPT).output)
