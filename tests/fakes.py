"""Stand-ins at the seams. They do what the real ones promise, at once and without files; retrieval over them means
something."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.llms.custom import CustomLLM
from pydantic import PrivateAttr

from index.embed import Vectors
from index.types import Span
from qa.decide import Calibration
from qa.read import Candidate
from qa.support import Verdict
from qa.weigh import Weighing


class ScriptedLLM(CustomLLM):
    """Says what it was told to say, in turn; an exception in the script is raised. Records what it was asked."""

    script: list[Any]
    _prompts: list[list[ChatMessage]] = PrivateAttr(default_factory=list)
    _options: list[dict[str, Any]] = PrivateAttr(default_factory=list)

    @property
    def prompts(self) -> list[list[ChatMessage]]:
        return self._prompts

    @property
    def options(self) -> list[dict[str, Any]]:
        """The keyword arguments of each call."""
        return self._options

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name="scripted", is_chat_model=True)

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return CompletionResponse(text=self._next([ChatMessage(role=MessageRole.USER, content=prompt)], kwargs))

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        text = self.complete(prompt, formatted, **kwargs).text

        def pieces() -> CompletionResponseGen:
            for end, letter in enumerate(text, start=1):
                yield CompletionResponse(text=text[:end], delta=letter)

        return pieces()

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        text = self._next(list(messages), kwargs)
        return ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text))

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        text = self._next(list(messages), kwargs)

        def pieces() -> ChatResponseGen:
            for end in range(0, len(text) + 4, 4):
                message = ChatMessage(role=MessageRole.ASSISTANT, content=text[: end + 4])
                yield ChatResponse(message=message, delta=text[end : end + 4])

        return pieces()

    def _next(self, messages: list[ChatMessage], options: dict[str, Any]) -> str:
        self._prompts.append(messages)
        self._options.append(options)
        said = self.script.pop(0) if len(self.script) > 1 else self.script[0]  # the last one is said again and again
        if isinstance(said, BaseException):
            raise said
        return str(said)


class FakeEmbedder:
    """Bag of words: each word is a fixed random direction, a text the sum of its words."""

    name = "fake-bag-of-words"
    dim = 64

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        self.embedded.extend(texts)
        return np.stack([self.embed_query(text) for text in texts]) if texts else np.empty((0, self.dim), np.float32)

    def embed_query(self, text: str) -> Vectors:
        words = re.findall(r"\w+", text.casefold()) or [text]
        vector = np.sum([np.random.default_rng(zlib.crc32(w.encode())).normal(size=self.dim) for w in words], axis=0)
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(re.findall(r"\w+|[^\w\s]", text)) for text in texts]


FAKE_CALIBRATION = Calibration(
    0, slope=1, quote_slope=0, intercept=-1.5, threshold=0.5, enough=math.inf, made_from="nothing"
)


class FakeJudge:
    """Says the same of everything, and keeps what it was asked."""

    name = "fake-judge"
    weighing = Weighing()

    def __init__(self, supported: float, contradicted: float = 0.0) -> None:
        self.verdict = Verdict(supported, 1 - supported - contradicted, contradicted)
        self.asked: list[tuple[str, str]] = []

    def __call__(self, evidence: str, claim: str) -> Verdict:
        self.asked.append((evidence, claim))
        return self.verdict


class FakeReader:
    """Answers with the words of a passage that the question does not have, scored by those that it has."""

    name = "fake-overlap"

    def read(self, question: str, passages: Sequence[str], top: int = 3) -> list[list[Candidate]]:
        asked = set(re.findall(r"\w+", question.casefold()))
        return [self._read_one(asked, passage, top) for passage in passages]

    def _read_one(self, asked: set[str], passage: str, top: int) -> list[Candidate]:
        words = list(re.finditer(r"\w+", passage))
        shared = len(asked & {w.group().casefold() for w in words})
        fresh = [w for w in words if w.group().casefold() not in asked] or words
        spans = [Candidate(Span(*w.span()), float(shared) - 0.01 * i) for i, w in enumerate(fresh)]
        return spans[:top]
