"""Writing within a budget, over a real HTTP server that misbehaves, and what the settings make of it."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ChatResponseGen

from qa import remote
from qa.build import build_llm
from qa.errors import LLMError, LLMTimeout, SettingsError
from qa.llm import Budget, LanguageModel
from qa.remote import hang_up, openai_compatible
from qa.settings import Settings
from tests.fakes import ScriptedLLM
from tests.hostile import Behaviour, HostileServer, Reply, hostile_server

ASKED = [ChatMessage(role="user", content="Well?")]


@contextmanager
def served(*replies: Reply, parallel: int = 4) -> Iterator[tuple[HostileServer, LanguageModel]]:
    with hostile_server() as server:
        server.say(*replies)
        llm = openai_compatible("m", server.url, None, 10)
        yield server, LanguageModel("m", lambda: llm, parallel=parallel, hang_up=hang_up)
        llm._get_client().close()


def budget(seconds: float = 10, first: float | None = None, **rest: object) -> Budget:
    now = time.monotonic()
    return Budget(now + seconds, now + (first or seconds), 50, **rest)  # type: ignore[arg-type]


def test_the_text_comes_piece_by_piece_with_what_was_asked() -> None:
    with served(Reply("It sails at nine.")) as (server, llm):
        assert "".join(llm.write(ASKED, budget())) == "It sails at nine."
        (request,) = server.requests
        assert (request["model"], request["stream"], request["max_tokens"], request["temperature"]) == (
            "m",
            True,
            50,
            0,
        )
        assert request["messages"] == [{"role": "user", "content": "Well?"}]


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (Reply("", "stall"), LLMTimeout, "did not answer in time"),
        (Reply("It sails.", "stall_midway"), LLMTimeout, "did not answer in time"),
        (Reply("It sails. ", "endless", pause=0.01), LLMTimeout, "in time"),
        (Reply("", "disconnect"), LLMError, "cannot be reached"),
        (Reply("sk-secret", "status", status=401), LLMError, "HTTP 401"),
        (Reply("sk-secret", "status", status=503), LLMError, "HTTP 503"),
        (Reply("It sails.", "broken_json"), LLMError, "cannot be read"),
    ],
)
def test_whatever_happens_ends_in_time_with_words_that_can_be_shown(
    reply: Reply, error: type[Exception], words: str
) -> None:
    with served(reply) as (_, llm):
        with pytest.raises(error, match=words) as caught:
            "".join(llm.write(ASKED, budget(2.5, 2)))
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("behaviour", ["text", "broken_json", "disconnect_midway", "wrong_shape", "not_json"])
def test_no_reply_is_left_open_for_the_garbage_collector(behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[httpx.Response] = []
    remember = remote._remember
    monkeypatch.setattr(remote, "_remember", lambda response: (seen.append(response), remember(response)))
    gc.disable()
    try:
        with served(Reply("It sails.", behaviour)) as (_, llm):
            with suppress(LLMError):
                "".join(llm.write(ASKED, budget()))
            until = time.monotonic() + 5
            while not all(response.is_closed for response in seen) and time.monotonic() < until:
                time.sleep(0.01)
            assert seen
            assert all(response.is_closed for response in seen)
    finally:
        gc.enable()


def test_a_wait_that_the_server_asks_for_is_kept_unless_it_is_too_long() -> None:
    with served(Reply("", "status", status=429, retry_after="0.3"), Reply("It sails.")) as (server, llm):
        began = time.monotonic()
        assert "".join(llm.write(ASKED, budget())) == "It sails."
        assert time.monotonic() - began >= 0.3
        server.say(Reply("", "status", status=429, retry_after="60"))
        with pytest.raises(LLMError, match="HTTP 429"):
            "".join(llm.write(ASKED, budget(2)))
        assert len(server.requests) == 3


def test_who_is_cancelled_or_closed_stops_the_server() -> None:
    with served(Reply("It sails. ", "endless", pause=0.01)) as (server, llm):
        gone = threading.Event()
        for _ in llm.write(ASKED, budget(cancelled=gone.is_set)):
            gone.set()
        assert server.wait_idle()
        writing = llm.write(ASKED, budget())
        next(writing)
        writing.close()  # type: ignore[attr-defined]
        assert server.wait_idle()


def test_an_empty_first_piece_is_no_beginning() -> None:
    """A stream opens with a role and no text; what has not begun by then is not waited for until the end."""
    enough = threading.Event()

    class Slow(ScriptedLLM):
        def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
            def pieces() -> ChatResponseGen:
                yield ChatResponse(message=ChatMessage(role="assistant", content=""), delta="")
                enough.wait(20)
                yield ChatResponse(message=ChatMessage(role="assistant", content="Late."), delta="Late.")

            return pieces()

    try:
        with pytest.raises(LLMTimeout):
            "".join(LanguageModel("slow", lambda: Slow(script=[""])).write(ASKED, budget(60, 0.3)))
    finally:
        enough.set()


def test_who_waits_for_a_busy_model_waits_no_longer_than_for_its_first_piece() -> None:
    llm = LanguageModel("busy", lambda: ScriptedLLM(script=["Late."]), parallel=1)
    while llm._threads.acquire(blocking=False):
        pass
    began = time.monotonic()
    with pytest.raises(LLMTimeout, match="busy"):
        "".join(llm.write(ASKED, budget(60, 0.2)))
    assert not list(llm.write(ASKED, budget(60, cancelled=lambda: True)))
    assert time.monotonic() - began < 60


def test_threads_that_nobody_waits_for_end_too() -> None:
    with served(Reply("", "stall"), parallel=1) as (_, llm):
        for _ in range(4):  # more than may be alive at once
            with pytest.raises(LLMTimeout):
                "".join(llm.write(ASKED, budget(0.3)))
        deadline = time.monotonic() + 10
        while any(thread.name == "llm" for thread in threading.enumerate()):
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"llm": "openai:gpt-5"}, "QA_LLM_API_KEY"),
        ({"llm": "anthropic:claude"}, "QA_LLM_API_KEY"),
        ({"llm": "openai:m", "llm_base_url": "localhost:1234"}, "http://"),
        ({"llm": "openai:"}, "openai:MODEL"),
        ({"llm": "gguf:/no/such.gguf"}, "GGUF"),
        ({"llm": "chatgpt"}, "bundled"),
    ],
)
def test_a_setting_that_cannot_work_says_what_would(settings: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        build_llm(Settings(**settings))  # type: ignore[arg-type]
    assert words in caught.value.help


def test_a_server_without_a_key_and_a_key_that_is_never_printed(tmp_path: Path) -> None:
    llm = build_llm(Settings(llm="openai:m", llm_base_url="http://localhost:9/v1"))
    assert llm is not None
    assert (llm.name, llm.capable, llm.parallel) == ("m", True, 8)
    settings = Settings(llm="openai:m", llm_api_key="sk-secret")  # type: ignore[arg-type]
    assert "sk-secret" not in repr(settings)
    assert "sk-secret" not in repr(build_llm(settings))


def test_a_client_that_is_not_installed_is_named() -> None:
    llm = build_llm(Settings(llm="anthropic:m", llm_api_key="k"))  # type: ignore[arg-type]
    assert llm is not None
    with pytest.raises(SettingsError) as caught:
        "".join(llm.write(ASKED, budget()))
    assert "cited-qa[anthropic]" in caught.value.help


def test_importing_it_imports_no_client() -> None:
    code = "import sys, qa.llm, qa.remote, qa.build; print([m for m in sys.modules if m in ('openai', 'llama_index')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
