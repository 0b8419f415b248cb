"""Language models behind an address: OpenAI's API, whatever speaks it, and Anthropic's.

Calling one of these imports its client. The clients do not retry by themselves: `qa.llm` does, within the budget.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from qa.errors import SettingsError

if TYPE_CHECKING:
    import httpx
    from llama_index.core.llms import LLM

CONTEXT_WINDOW = 8192
"""Tokens that any model of today reads; how much of the passages is sent follows from it."""


_current = threading.local()


def _remember(response: httpx.Response) -> None:
    hang_up()  # on the one before, of a try that failed
    _current.response = response


def hang_up() -> None:
    """Close the connection of the last reply to this thread.

    openai's stream (2.54) is part of a reference cycle: dropped, it stays open, the server goes on writing, and the
    garbage collector closes it at any time: within httpcore's own lock, too, which then waits for itself for ever.
    """
    response = getattr(_current, "response", None)
    if response is not None:
        response.close()
        del _current.response


def openai_compatible(model: str, base_url: str | None, api_key: str | None, timeout: float) -> LLM:
    """A model of OpenAI, or of a server that speaks its API: vLLM, Ollama, LM Studio, llama-server.

    `OpenAILike` and not LlamaIndex's `OpenAI`, which rejects the names of models that it does not know.
    """
    import httpx
    from llama_index.llms.openai_like import OpenAILike

    return OpenAILike(
        model=model,
        api_base=base_url,
        api_key=api_key or "none",  # local servers want none, their client wants one
        is_chat_model=True,
        context_window=CONTEXT_WINDOW,
        temperature=0.0,
        timeout=timeout,
        max_retries=0,
        http_client=httpx.Client(timeout=timeout, follow_redirects=True, event_hooks={"response": [_remember]}),
    )


def anthropic(model: str, base_url: str | None, api_key: str | None, timeout: float) -> LLM:
    """A model of Anthropic. Raises `SettingsError` where its client, an extra, is not installed."""
    try:
        from llama_index.llms.anthropic import Anthropic
    except ImportError as error:
        raise SettingsError(
            f"QA_LLM=anthropic:{model} needs a client that is not installed",
            help="Run: .venv/bin/pip install 'cited-qa[anthropic]' (in a checkout: -e '.[anthropic]').",
        ) from error
    return Anthropic(model=model, base_url=base_url, api_key=api_key, temperature=0.0, timeout=timeout, max_retries=0)
