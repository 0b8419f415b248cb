"""The same questions, documents and models through LlamaIndex's CitationQueryEngine over its default vector store."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from index.embed import Embedder
from index.types import Document
from qa.evaluation.metrics import contains_gold, percentiles
from qa.evaluation.questions import Question
from qa.pipeline import QA

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

MARKER = re.compile(r"\[(\d+)\]")


class PeerFailed(Exception):
    """A peer could not be installed, died, or said that it failed; the others go on."""


@dataclass(frozen=True, slots=True)
class Side:
    """Something to compare: how it retrieves, how it answers (text, and texts that it cites), seconds to index.

    `spent_ms`, where a side measures by itself, gives the milliseconds of its last call.
    """

    name: str
    retrieve: Callable[[str], object]
    answer: Callable[[str], tuple[str, Sequence[str]]]
    index_s: float
    spent_ms: Callable[[], float] | None = None


@dataclass(slots=True)
class Result:
    """Milliseconds to retrieve and to answer, and what the answers were worth.

    `right`: answerable questions whose answer holds a gold answer; `cited`: those of them that cite a text which holds
    one, too; `uncited`: unanswerable ones that are answered without citing anything, or refused. `failed` says why a
    side did not come to the end.
    """

    retrieve_ms: list[float] = field(default_factory=list)
    answer_ms: list[float] = field(default_factory=list)
    right: int = 0
    cited: int = 0
    uncited: int = 0
    failed: str = ""


def race(sides: Sequence[Side], questions: Sequence[Question]) -> list[Result]:
    """Ask every side each question in turn, so that a noisy moment falls on all alike."""
    results = [Result() for _ in sides]
    for side in sides:
        side.retrieve(questions[0].question)
    for question in tqdm(questions, desc="compare", file=sys.stderr, disable=None):
        for side, result in zip(sides, results, strict=True):
            if result.failed:
                continue
            try:
                _ask(side, question, result)
            except PeerFailed as error:
                result.failed = str(error)
                tqdm.write(f"{side.name} failed: {error}", file=sys.stderr)
    return results


def _ask(side: Side, question: Question, result: Result) -> None:
    """One question to one side; what came of it is added to `result`."""
    began = time.perf_counter()
    side.retrieve(question.question)
    spent = (time.perf_counter() - began) * 1000
    result.retrieve_ms.append(side.spent_ms() if side.spent_ms else spent)
    began = time.perf_counter()
    text, cited = side.answer(question.question)
    spent = (time.perf_counter() - began) * 1000
    result.answer_ms.append(side.spent_ms() if side.spent_ms else spent)
    if not question.answerable:
        result.uncited += not cited
    elif contains_gold(text, question.golds):
        result.right += 1
        result.cited += any(contains_gold(source, question.golds) for source in cited)


def ours(qa: QA, mode: Any, name: str, index_s: float) -> Side:
    """This service, over its default collection."""

    def retrieve(question: str) -> object:
        with qa.collections.get("default").snapshot() as snapshot:
            return qa.retrieve(snapshot, question, None)

    def answer(question: str) -> tuple[str, Sequence[str]]:
        found = qa.ask(question, mode=mode)
        return found.answer, [citation.cited_text for citation in found.citations]

    return Side(name, retrieve, answer, index_s)


def llamaindex(documents: Sequence[Document], embedder: Embedder, llm: LLM, name: str, top_k: int) -> Side:
    """LlamaIndex as its documentation has it: sentence splitter, vector store in memory, citations by prompt."""
    from llama_index.core import Document as LlamaDocument
    from llama_index.core import VectorStoreIndex
    from llama_index.core.query_engine import CitationQueryEngine

    began = time.perf_counter()
    index = VectorStoreIndex.from_documents(
        [LlamaDocument(text=document.text, id_=document.id) for document in documents], embed_model=_embedding(embedder)
    )
    index_s = time.perf_counter() - began
    engine = CitationQueryEngine.from_args(index, llm=llm, similarity_top_k=top_k)
    retriever = index.as_retriever(similarity_top_k=top_k)

    def answer(question: str) -> tuple[str, Sequence[str]]:
        response = engine.query(question)
        named = {int(number) for number in MARKER.findall(str(response))}
        return str(response), [n.node.get_content() for at, n in enumerate(response.source_nodes, 1) if at in named]

    return Side(name, retriever.retrieve, answer, index_s)


def table(sides: Sequence[Side], results: Sequence[Result], questions: Sequence[Question]) -> str:
    """All sides as a Markdown table; ratios are to the first one."""
    answerable = sum(question.answerable for question in questions)
    lines = [
        "| | index s | retrieve p50 ms | ratio | answer p50 ms | p95 ms | ratio | right | right and cited "
        "| unanswerable, nothing cited |",
        "| --- |" + " ---: |" * 9,
    ]
    base = [percentiles(values)["p50"] for values in (results[0].retrieve_ms, results[0].answer_ms)]
    for side, result in zip(sides, results, strict=True):
        if result.failed:
            words = " ".join(result.failed.replace("|", "/").split())
            lines.append(f"| {side.name} | failed: {words} |" + " |" * 8)
            continue
        retrieve, answer = percentiles(result.retrieve_ms), percentiles(result.answer_ms)
        lines.append(
            f"| {side.name} | {side.index_s:.2f} | {retrieve['p50']:.1f} | {retrieve['p50'] / base[0]:.2f} | "
            f"{answer['p50']:.0f} | {answer['p95']:.0f} | {answer['p50'] / base[1]:.2f} | "
            f"{result.right} of {answerable} | {result.cited} of {answerable} | "
            f"{result.uncited} of {len(questions) - answerable} |"
        )
    return "\n".join(lines)


def _embedding(embedder: Embedder) -> Any:
    """Our embedder as LlamaIndex takes it."""
    from llama_index.core.base.embeddings.base import BaseEmbedding

    class Embedding(BaseEmbedding):  # type: ignore[misc]  # LlamaIndex's classes are not followed
        def _get_query_embedding(self, query: str) -> list[float]:
            return [float(x) for x in embedder.embed_query(query)]

        def _get_text_embedding(self, text: str) -> list[float]:
            return [float(x) for x in embedder.embed_query(text)]

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

    return Embedding(model_name=embedder.name)
