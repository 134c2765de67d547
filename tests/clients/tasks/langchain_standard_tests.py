"""LangChain's standard tests of chat models, against the gateway, through each of its integrations."""

import os
from typing import Any, ClassVar

from langchain_anthropic import ChatAnthropic
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

URL = os.environ["TEST_API_BASE_URL"]


class TestChatCompletions(ChatModelIntegrationTests):
    """OpenAI's chat completions."""

    chat_model_class = ChatOpenAI
    chat_model_params: ClassVar[dict[str, Any]] = {
        "model": "auto",
        "base_url": URL + "/v1",
        "api_key": "none",
        "stream_usage": True,
    }


class TestResponses(ChatModelIntegrationTests):
    """OpenAI's Responses."""

    chat_model_class = ChatOpenAI
    chat_model_params: ClassVar[dict[str, Any]] = {
        "model": "auto",
        "base_url": URL + "/v1",
        "api_key": "none",
        "use_responses_api": True,
    }


class TestMessages(ChatModelIntegrationTests):
    """Anthropic's messages."""

    chat_model_class = ChatAnthropic
    chat_model_params: ClassVar[dict[str, Any]] = {"model": "auto", "base_url": URL, "api_key": "none"}


class TestOllama(ChatModelIntegrationTests):
    """Ollama's chat."""

    chat_model_class = ChatOllama
    chat_model_params: ClassVar[dict[str, Any]] = {"model": "auto", "base_url": URL}
