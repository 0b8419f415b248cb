"""The project as LlamaIndex sees it, over real models."""

from __future__ import annotations

import asyncio

from qa.llamaindex import CitedQueryEngine, CitedRetriever
from tests.conftest import MakeQA

LIBRARY = "The library opens at nine on weekdays. Ada Byrne founded it in 1871.\n\nIt lends books for a month."


def test_nodes_carry_exact_offsets(make_qa: MakeQA) -> None:
    qa = make_qa({"library.txt": LIBRARY})
    nodes = CitedRetriever(qa, top_k=3).retrieve("When does the library open?")
    assert nodes
    for node in nodes:
        assert LIBRARY[node.node.start_char_idx : node.node.end_char_idx] == node.node.get_content()
        assert node.node.metadata["document_title"]


def test_an_answer_has_its_citations_as_source_nodes(make_qa: MakeQA) -> None:
    engine = CitedQueryEngine(make_qa({"library.txt": LIBRARY}), mode="extractive")
    response = engine.query("Who founded the library?")
    assert "Ada Byrne" in str(response)
    for node in response.source_nodes:
        assert LIBRARY[node.node.start_char_idx : node.node.end_char_idx] == node.node.get_content()
    assert response.metadata["status"] == "answered"
    assert [node.node.metadata["citation_id"] for node in response.source_nodes] == [
        citation["id"] for citation in response.metadata["citations"]
    ]


def test_a_refusal_has_none(make_qa: MakeQA) -> None:
    engine = CitedQueryEngine(make_qa({"library.txt": LIBRARY}), mode="extractive")
    response = engine.query("What is the capital of France?")
    assert response.source_nodes == []
    assert response.metadata["status"] == "not_answerable"


def test_the_async_ways_give_the_same(make_qa: MakeQA) -> None:
    qa = make_qa({"library.txt": LIBRARY})
    retriever, engine = CitedRetriever(qa), CitedQueryEngine(qa, mode="extractive")
    question = "Who founded the library?"

    async def both() -> tuple[list[str], str]:
        nodes = await retriever.aretrieve(question)
        return [n.node.get_content() for n in nodes], str(await engine.aquery(question))

    texts, answer = asyncio.run(both())
    assert texts == [n.node.get_content() for n in retriever.retrieve(question)]
    assert answer == str(engine.query(question))
