"""txtai as its documentation has it: an embeddings database of paragraphs, its RAG pipeline, `reference` as citation.

Runs in txtai's own environment: python -m qa.evaluation.txtai_peer
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qa.evaluation.peer_process import serve

REQUIREMENTS = ["txtai==9.14.0"]
# The prompt of the documentation of txtai's RAG pipeline, word for word.
TEMPLATE = """
  Answer the following question using the provided context.

  Question:
  {question}

  Context:
  {context}
"""


class Peer:
    """An index with the embedder of this service, and a pipeline over a model of this service."""

    def index(self, request: dict[str, Any]) -> dict[str, Any]:
        """Embed the paragraphs of the documents; `llm` is the path of a GGUF file, or nothing for a free model."""
        from txtai import RAG, Embeddings

        from index.embed import MiniLM

        embedder = MiniLM()

        def transform(texts: list[str]) -> Any:
            return embedder.embed_documents(texts)

        self.texts = [p.strip() for d in request["documents"] for p in d["text"].split("\n\n") if p.strip()]
        self.top_k = request["top_k"]
        self.embeddings = Embeddings(method="external", transform=transform, content=True)
        self.embeddings.index(self.texts)
        model = _bundled(request["llm"]) if request["llm"] else lambda prompts: ["text"] * len(prompts)
        self.rag = RAG(self.embeddings, model, context=request["context"], template=TEMPLATE, output="reference")
        return {}

    def retrieve(self, request: dict[str, Any]) -> dict[str, Any]:
        """The texts found."""
        return {"texts": [found["text"] for found in self.embeddings.search(request["question"], self.top_k)]}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer, and the one text that txtai names as its reference."""
        found = self.rag(request["question"])
        named = found["reference"]
        return {"text": found["answer"], "cited": [] if named is None else [self.texts[int(named)]]}


def _bundled(path: str) -> Any:
    from llama_index.core.llms import ChatMessage

    from qa.llama_cpp import LlamaCpp

    llm = LlamaCpp(model_path=Path(path), context_window=4096, max_tokens=64, timeout=120)
    return lambda prompts: [llm.chat([ChatMessage(role="user", content=p)]).message.content for p in prompts]


if __name__ == "__main__":
    peer = Peer()
    serve({"index": peer.index, "retrieve": peer.retrieve, "answer": peer.answer})
