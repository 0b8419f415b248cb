"""The contract every `Embedder` keeps, and the fast path against the reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from index.embed import BUNDLED_SENTENCE_TRANSFORMER, Embedder, MiniLM, SentenceTransformerEmbedder
from tests.fakes import FakeEmbedder

TEXTS = [
    "The library opens at nine on weekdays.",
    "Tea is served at four.",
    "x",
    "   ",
    "Zażółć gęślą jaźń 🍵 日本語のテキスト",
    "e\u0301 \u202e rtl \u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    " ".join(f"Sentence number {i} speaks of books and of tea." for i in range(20)),  # 200 word pieces
    " ".join(f"Sentence number {i} speaks of books and of tea." for i in range(80)),  # far over the limit
]


@pytest.fixture(scope="module")
def minilm() -> MiniLM:
    return MiniLM(threads=2)


@pytest.fixture(scope="module")
def reference() -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(BUNDLED_SENTENCE_TRANSFORMER)


@pytest.fixture(params=["fake", "minilm", "reference"])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    if request.param == "fake":
        return FakeEmbedder()
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def test_vectors_are_unit_float32_rows(embedder: Embedder) -> None:
    vectors = embedder.embed_documents(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dim)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert embedder.embed_query("When does it open?").shape == (embedder.dim,)


def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    assert embedder.embed_documents([]).shape == (0, embedder.dim)


def test_a_vector_does_not_depend_on_what_is_embedded_beside_it(embedder: Embedder) -> None:
    together = embedder.embed_documents(TEXTS)
    alone = np.concatenate([embedder.embed_documents([text]) for text in TEXTS])
    assert np.array_equal(together, alone)


def test_it_counts_word_pieces(embedder: Embedder) -> None:
    one, two = embedder.count_tokens(["tea", "tea and books"])
    assert 0 < one < two


def test_related_texts_are_nearer(embedder: Embedder) -> None:
    question = embedder.embed_query("When is tea served?")
    tea, books = embedder.embed_documents(["Tea is served at four.", "Books are lent for a month."])
    assert question @ tea > question @ books


def test_the_fast_path_gives_the_vectors_of_the_reference(
    minilm: MiniLM, reference: SentenceTransformerEmbedder
) -> None:
    article = (Path(__file__).parent.parent / "seeds" / "nvidia-south-korea.txt").read_text(encoding="utf-8")
    words = article.split()
    prose = [*article.split("\n\n"), " ".join(words[:150]), " ".join(words[-150:]), article]
    assert max(minilm.count_tokens(prose[-3:-1])) > 180
    cosines = (minilm.embed_documents(prose) * reference.embed_documents(prose)).sum(axis=1)
    assert cosines.mean() >= 0.999
    odd = (minilm.embed_documents(TEXTS) * reference.embed_documents(TEXTS)).sum(axis=1)
    assert odd.min() >= 0.99
    assert minilm.count_tokens(TEXTS) == reference.count_tokens(TEXTS)


def test_texts_up_to_256_word_pieces_are_read_to_their_end(minilm: MiniLM) -> None:
    words = ["tea"] * 200
    changed = [*words[:-1], "elephant"]
    first, second = minilm.embed_documents([" ".join(words), " ".join(changed)])
    assert minilm.count_tokens([" ".join(words)]) == [200]
    assert first @ second < 0.9999
