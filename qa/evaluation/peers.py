"""The same questions, documents and models through LlamaIndex's CitationQueryEngine over its default vector store."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from index.embed import Embedder
from index.types import Document
from qa.evaluation.metrics import contains_gold, percentiles
from qa.evaluation.questions import Question
from qa.pipeline import QA

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

MARKER = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: seconds to index, milliseconds to retrieve and to answer, and what the answers were worth.

    `right`: answerable questions whose answer holds a gold answer; `cited`: those of them with a citation whose text
    holds one, too; `refused`: unanswerable ones without any citation. `index_s` is None where it was indexed before.
    """

    index_s: float
    retrieve_p50_ms: float
    answer_p50_ms: float
    answer_p95_ms: float
    right: int
    cited: int
    refused: int


def ours(qa: QA, questions: Sequence[Question], mode: Any, index_s: float) -> Side:
    """This service, over its default collection."""
    retrieve_ms, answer_ms, counts = [], [], [0, 0, 0]
    for question in questions:
        began = time.perf_counter()
        with qa.collections.get("default").snapshot() as snapshot:
            qa.retrieve(snapshot, question.question, None)
        retrieve_ms.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        answer = qa.ask(question.question, mode=mode)
        answer_ms.append((time.perf_counter() - began) * 1000)
        _count(counts, question, answer.answer, [c.cited_text for c in answer.citations])
    return _side(index_s, retrieve_ms, answer_ms, counts)


def llamaindex(
    documents: Sequence[Document], embedder: Embedder, llm: LLM, questions: Sequence[Question], top_k: int
) -> Side:
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
    retrieve_ms, answer_ms, counts = [], [], [0, 0, 0]
    for question in questions:
        began = time.perf_counter()
        retriever.retrieve(question.question)
        retrieve_ms.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        response = engine.query(question.question)
        answer_ms.append((time.perf_counter() - began) * 1000)
        text = str(response)
        named = {int(number) for number in MARKER.findall(text)}
        cited = [n.node.get_content() for at, n in enumerate(response.source_nodes, 1) if at in named]
        _count(counts, question, text, cited)
    return _side(index_s, retrieve_ms, answer_ms, counts)


def table(sides: Sequence[tuple[str, Side]], questions: Sequence[Question]) -> str:
    """Both sides as a Markdown table."""
    answerable = sum(question.answerable for question in questions)
    lines = [
        "| | index s | retrieve p50 ms | answer p50 ms | p95 ms | right | right and cited | refused |",
        "| --- |" + " ---: |" * 7,
    ]
    for name, side in sides:
        lines.append(
            f"| {name} | {side.index_s:.2f} | {side.retrieve_p50_ms:.1f} | {side.answer_p50_ms:.0f} | "
            f"{side.answer_p95_ms:.0f} | {side.right} of {answerable} | {side.cited} of {answerable} | "
            f"{side.refused} of {len(questions) - answerable} |"
        )
    return "\n".join(lines)


def _count(counts: list[int], question: Question, text: str, cited: Sequence[str]) -> None:
    if not question.answerable:
        counts[2] += not cited
        return
    right = contains_gold(text, question.golds)
    counts[0] += right
    counts[1] += right and any(contains_gold(source, question.golds) for source in cited)


def _side(index_s: float, retrieve_ms: Sequence[float], answer_ms: Sequence[float], counts: Sequence[int]) -> Side:
    answer = percentiles(answer_ms)
    return Side(index_s, percentiles(retrieve_ms)["p50"], answer["p50"], answer["p95"], *counts)


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
