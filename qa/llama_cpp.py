"""A GGUF model in this process, as a LlamaIndex `LLM`.

Importing this module imports LlamaIndex (1.7 s). Nothing that answers without an LLM may import it at its top.
"""

from __future__ import annotations

import asyncio
import queue
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import xllamacpp
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.custom import CustomLLM
from pydantic import Field

from qa.errors import LLMError, LLMTimeout, ModelMissing, QAError

_HELP = "Answers fall back to the verbatim sentence. QA_LLM=none switches the language model off."


class LlamaCpp(CustomLLM):
    """Text from a GGUF file through llama.cpp, greedy and seeded: the same prompt gives the same text.

    The file is loaded on first use, once a process however many of these objects name it. Any call takes
    `max_tokens`, `stop` (strings that end the text), `grammar` (GBNF), `timeout` (seconds, over the default),
    `temperature` and `seed`; the same seed gives the same text, too.
    """

    model_path: Path = Field(description="The GGUF file.")
    context_window: int = Field(default=2048, gt=0, description="Tokens of prompt and answer together.")
    max_tokens: int = Field(default=256, gt=0, description="Tokens of an answer, unless a call says otherwise.")
    parallel: int = Field(default=1, gt=0, description="Texts written at once; each has a whole context window.")
    threads: int = Field(
        default=1,
        gt=0,
        description="Threads for one model run. llama.cpp spins while its threads wait for each other: with as many as "
        "there are cores, one other busy process makes it five times slower (docs/phrasing.md).",
    )
    timeout: float = Field(default=60.0, gt=0, description="Seconds for one answer, loading and waiting included.")

    @classmethod
    def class_name(cls) -> str:
        """Name of this class in LlamaIndex's serialised objects."""
        return "cited_qa_llama_cpp"

    @property
    def metadata(self) -> LLMMetadata:
        """What LlamaIndex asks about a model; reading it does not load the file."""
        return LLMMetadata(
            context_window=self.context_window,
            num_output=self.max_tokens,
            is_chat_model=True,
            model_name=self.model_path.stem,
        )

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """The text that follows `prompt`, which no template touches. Raises `LLMTimeout` or another `LLMError`."""
        return CompletionResponse(text="".join(self._generate({"prompt": prompt}, **kwargs)))

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        """As `complete`, piece by piece. Closing the generator ends the model's work."""

        def pieces() -> CompletionResponseGen:
            text = ""
            for delta in self._generate({"prompt": prompt}, **kwargs):
                text += delta
                yield CompletionResponse(text=text, delta=delta)

        return pieces()

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """The reply to `messages`, in the file's own chat template. Raises as `complete` does."""
        text = "".join(self._generate(_conversation(messages), **kwargs))
        return ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text))

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """As `chat`, piece by piece."""

        def pieces() -> ChatResponseGen:
            text = ""
            for delta in self._generate(_conversation(messages), **kwargs):
                text += delta
                yield ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text), delta=delta)

        return pieces()

    # CustomLLM's own async methods run the model on the event loop's thread.
    @llm_completion_callback()
    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """As `complete`, in a thread."""
        return await asyncio.to_thread(self.complete, prompt, formatted, **kwargs)

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """As `chat`, in a thread."""
        return await asyncio.to_thread(self.chat, messages, **kwargs)

    def _generate(
        self,
        prompt: dict[str, Any],
        *,
        max_tokens: int | None = None,
        stop: Sequence[str] = (),
        grammar: str | None = None,
        timeout: float | None = None,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> Iterator[str]:
        budget = self.timeout if timeout is None else timeout
        deadline = time.monotonic() + budget
        request: dict[str, Any] = {
            **prompt,
            "max_tokens": max_tokens or self.max_tokens,
            "stop": list(stop),
            "temperature": temperature,
            "seed": seed,
            "cache_prompt": True,  # the examples of a prompt are evaluated once, not for every question
            "stream": True,
        }
        if grammar:
            request["grammar"] = grammar
        events: queue.SimpleQueue[dict[str, Any] | Exception | None] = queue.SimpleQueue()
        cancelled = threading.Event()

        def on_event(event: dict[str, Any]) -> bool:
            events.put(event)
            return cancelled.is_set()

        def run() -> None:
            try:
                server = _server(self.model_path, self.context_window, self.parallel, self.threads)
                if not cancelled.is_set():
                    handle = server.handle_chat_completions if "messages" in prompt else server.handle_completions
                    handle(request, on_event)
            except Exception as error:  # whatever it is must reach the thread that waits
                events.put(error)
            events.put(None)

        # A thread of its own, because nothing can stop llama.cpp while it loads or reads a prompt: the caller
        # stops waiting when the time is up, and the callback ends the work at the next token.
        threading.Thread(target=run, name="llama.cpp", daemon=True).start()
        try:
            while True:
                try:
                    event = events.get(timeout=max(0.0, deadline - time.monotonic()))
                except queue.Empty:
                    raise LLMTimeout(
                        f"{self.model_path.stem} did not finish within {budget:g} s",
                        help="Raise QA_LLM_TIMEOUT, or set QA_LLM=none.",
                    ) from None
                if event is None:
                    return
                if isinstance(event, QAError):
                    raise event
                if isinstance(event, Exception):
                    raise LLMError(f"llama.cpp failed: {event}", help=_HELP) from event
                if delta := _delta(event):
                    yield delta
        finally:
            cancelled.set()


def _conversation(messages: Sequence[ChatMessage]) -> dict[str, Any]:
    return {"messages": [{"role": message.role.value, "content": message.content or ""} for message in messages]}


def _delta(event: dict[str, Any]) -> str:
    """The new text of one event of the server."""
    if "error" in event:
        error = event["error"]
        detail = error.get("message", error) if isinstance(error, dict) else error
        raise LLMError(f"llama.cpp refused: {detail}", help=_HELP)
    choice = event["choices"][0] if event.get("choices") else {}
    return str(choice.get("text") or choice.get("delta", {}).get("content") or "")


_servers: dict[tuple[Path, int, int, int], Any] = {}
_lock = threading.Lock()


def _server(path: Path, context_window: int, parallel: int, threads: int) -> Any:
    """The one `xllamacpp.Server` of this process for a file and its configuration."""
    key = (path.resolve(), context_window, parallel, threads)
    with _lock:
        if key not in _servers:
            _servers[key] = _load(*key)
        return _servers[key]


def _load(path: Path, context_window: int, parallel: int, threads: int) -> Any:
    if not path.is_file():
        raise ModelMissing(f"there is no model file {path}", help="Set QA_LLM to gguf:PATH, bundled or none.")
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.offline = True
    params.n_ctx = context_window * parallel
    params.n_parallel = parallel  # each slot keeps its prompt prefix warm; further calls wait their turn
    params.n_batch = params.n_ubatch = min(512, context_window)
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.n_gpu_layers = 0  # the same text on every machine
    params.cache_ram_mib = 0  # no copies of old prompts: they would grow to gigabytes
    params.n_ctx_checkpoints = 0
    params.warmup = False
    params.verbosity = -1  # a library does not write to its caller's terminal
    # The server listens on a port of this machine that the system picks, whether anyone wants it or not. The key
    # is thrown away: nobody but this process can use it.
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [secrets.token_urlsafe(32)]
    params.n_threads_http = 1
    params.ui = params.endpoint_slots = params.endpoint_props = params.endpoint_metrics = False
    params.sse_ping_interval = -1  # a ping is no JSON, and would reach the callback's parser
    try:
        return xllamacpp.Server(params)
    except Exception as error:
        raise LLMError(f"llama.cpp could not load {path.name}: {error}", help=_HELP) from error
