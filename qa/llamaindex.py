"""Cited QA inside LlamaIndex: a retriever and a query engine whose nodes carry exact offsets and citations.

    from qa.build import build_qa
    from qa.llamaindex import CitedQueryEngine, CitedRetriever

    qa = build_qa()
    nodes = CitedRetriever(qa, top_k=3).retrieve("When does the library open?")
    response = CitedQueryEngine(qa).query("When does the library open?")
    print(response, [node.metadata["citation_id"] for node in response.source_nodes])

Importing this module imports LlamaIndex (1.7 s).
"""

from __future__ import annotations

import asyncio
from typing import Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import RESPONSE_TYPE, Response
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from qa.pipeline import QA
from qa.types import Answer, AskedMode, Citation, PassageResult


class CitedRetriever(BaseRetriever):
    """Passages of a collection. A node's text is `document[start_char_idx:end_char_idx]`, its score the fused one."""

    def __init__(self, qa: QA, *, collection: str = "default", top_k: int | None = None) -> None:
        super().__init__()
        self._qa = qa
        self._collection = collection
        self._top_k = top_k

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = self._qa.search(query_bundle.query_str, collection=self._collection, top_k=self._top_k)
        return [_passage_node(item) for item in found]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


class CitedQueryEngine(BaseQueryEngine):
    """Answers over a collection. The response's source nodes are its citations; a refusal has none.

    `response.metadata` is the whole answer as the HTTP API sends it.
    """

    def __init__(
        self, qa: QA, *, collection: str = "default", mode: AskedMode = "auto", top_k: int | None = None
    ) -> None:
        super().__init__(callback_manager=None)
        self._qa = qa
        self._collection = collection
        self._mode = mode
        self._top_k = top_k

    def _query(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        answer = self._qa.ask(query_bundle.query_str, collection=self._collection, mode=self._mode, top_k=self._top_k)
        return _response(answer)

    async def _aquery(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        return await asyncio.to_thread(self._query, query_bundle)

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}


def _response(answer: Answer) -> Response:
    return Response(
        response=answer.answer,
        source_nodes=[_citation_node(citation) for citation in answer.citations],
        metadata=answer.model_dump(mode="json"),
    )


def _citation_node(citation: Citation) -> NodeWithScore:
    return _node(
        citation.id,
        citation.cited_text,
        citation.start_char_index,
        citation.end_char_index,
        citation.score,
        citation_id=citation.id,
        document_id=citation.document_id,
        document_title=citation.document_title,
        document_version=citation.document_version,
        viewer_url=citation.viewer_url,
    )


def _passage_node(item: PassageResult) -> NodeWithScore:
    return _node(
        item.id,
        item.text,
        item.start_char_index,
        item.end_char_index,
        item.score,
        document_id=item.document_id,
        document_title=item.document_title,
        viewer_url=item.viewer_url,
        dense_rank=item.dense_rank,
        lexical_rank=item.lexical_rank,
    )


def _node(node_id: str, text: str, start: int, end: int, score: float, **metadata: Any) -> NodeWithScore:
    node = TextNode(
        id_=node_id,
        text=text,
        start_char_idx=start,
        end_char_idx=end,
        metadata=metadata,
        # What tells a reader where a text is from is no part of the text for a model.
        excluded_embed_metadata_keys=list(metadata),
        excluded_llm_metadata_keys=[key for key in metadata if key != "document_title"],
    )
    return NodeWithScore(node=node, score=score)
