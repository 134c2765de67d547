"""pydantic-ai: a typed answer, for which the model is made to call a tool; over chat completions or Responses."""

import sys

from pydantic import BaseModel, Field
from pydantic_ai import Agent, ToolOutput
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider
from workspace import KEY, PROMPT, URL


class Person(BaseModel):
    """A person."""

    name: str = Field(max_length=20)
    age: int = Field(ge=0, le=120)


provider = OpenAIProvider(base_url=URL + "/v1", api_key=KEY)
kind = OpenAIResponsesModel if sys.argv[2] == "responses" else OpenAIChatModel
agent = Agent(kind("auto", provider=provider), output_type=ToolOutput(Person), retries=0)
print(agent.run_sync(PROMPT, model_settings={"max_tokens": 200}).output.model_dump_json())
