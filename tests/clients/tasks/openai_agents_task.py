"""OpenAI's Agents SDK: an agent with three tools, over Responses or chat completions, streamed."""

import asyncio
import sys

from agents import Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI
from workspace import KEY, PROMPT, TOOLS, URL


async def main() -> None:
    set_tracing_disabled(True)
    client = AsyncOpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0)
    kind = OpenAIResponsesModel if sys.argv[2] == "responses" else OpenAIChatCompletionsModel
    agent = Agent(
        name="clerk",
        instructions="You change files.",
        model=kind(model="auto", openai_client=client),
        tools=[function_tool(tool) for tool in TOOLS.values()],
    )
    run = Runner.run_streamed(agent, PROMPT)
    async for _ in run.stream_events():
        pass
    print(run.final_output)


asyncio.run(main())
