"""LangChain: its agent with three tools, over each of its integrations that speaks a dialect of the gateway."""

import sys

from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI
from workspace import KEY, PROMPT, TOOLS, URL

match sys.argv[2]:
    case "chat":
        model = ChatOpenAI(model="auto", base_url=URL + "/v1", api_key=KEY, streaming=True)
    case "responses":
        model = ChatOpenAI(model="auto", base_url=URL + "/v1", api_key=KEY, use_responses_api=True)
    case "anthropic":
        model = ChatAnthropic(model="auto", base_url=URL, api_key=KEY)
    case _:
        model = ChatOllama(model="auto", base_url=URL, client_kwargs={"headers": {"Authorization": f"Bearer {KEY}"}})
agent = create_agent(model, list(TOOLS.values()), system_prompt="You change files.")
print(agent.invoke({"messages": [("user", PROMPT)]})["messages"][-1].text)
