"""Pairs of evidence and claim that people wrote and judged, divided by document."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from index.chunk import split_sentences
from qa.evaluation.grounding import load_pairs
from qa.support import narrowed
from training.claims import Label, Pair
from training.corpus import normal

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from index.embed import Embedder, Vectors

SHARED = 40
"""Characters from which on a sentence in two pieces of evidence says that they are of one document."""

PARTS = {"train": 0.55, "choose": 0.15, "test": 0.30}
"""Shares of the documents: to train with, to choose thresholds by, and for nothing but the report."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim about some evidence, by which data set, whether it is supported, and which document it is from."""

    source: str
    evidence: str
    claim: str
    supported: bool
    document: int

    @property
    def label(self) -> Label:
        """FoolMeTwice's false claims are refuted by their evidence; of the others' it is not known."""
        if self.supported:
            return Label.SUPPORTED
        return Label.CONTRADICTED if self.source.startswith("fm2") else Label.UNSUPPORTED


def load_grounding(path: Path) -> list[Judged]:
    """The pairs of a file of JSON lines `{source, evidence, claim, supported}`, plain or gzipped."""
    pairs, _ = load_pairs(path)
    documents = _documents([pair.evidence for pair in pairs])
    return [
        Judged(pair.source, pair.evidence.strip(), pair.claim.strip(), pair.supported, document)
        for pair, document in zip(pairs, documents, strict=True)
    ]


def part_of(row: Judged) -> str:
    """Which part a pair is in. All pairs of a document are in one."""
    digest = hashlib.sha256(f"{row.source.split('-')[0]}/{row.document}".encode()).digest()
    drawn = int.from_bytes(digest[:4], "big") / 2**32
    for part, share in PARTS.items():
        if drawn < share:
            return part
        drawn -= share
    return "test"


def _documents(texts: Sequence[str]) -> list[int]:
    """For each text the number of its document: texts that have a longer sentence in common are of one."""
    parent = list(range(len(texts)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    where: dict[str, list[int]] = defaultdict(list)
    split: dict[str, set[str]] = {}
    for i, text in enumerate(texts):
        if text not in split:
            split[text] = {normal(span.of(text)) for span in split_sentences(text)} | {normal(text)}
        for sentence in split[text]:
            if len(sentence) >= SHARED or sentence == normal(text):
                where[sentence].append(i)
    for found in where.values():
        for i in found[1:]:
            parent[max(root(i), root(found[0]))] = min(root(i), root(found[0]))
    return [root(i) for i in range(len(texts))]


class Remembering:
    """An embedder that keeps the vectors of what it has seen: the claims about a document share its sentences."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._vectors: dict[str, Vectors] = {}

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors (n, dim)."""
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> Vectors:
        """A unit vector (dim,)."""
        if text not in self._vectors:
            self._vectors[text] = self._embedder.embed_documents([text])[0]
        return self._vectors[text]


def narrow_all(rows: Sequence[Judged], embedder: Embedder, tokenizer: Tokenizer) -> list[Pair]:
    """As pairs, with the sentences of the evidence that the support model would get to read."""
    remembering = Remembering(embedder)
    pairs = []
    for row in tqdm(rows, desc="narrow", leave=False):
        sentences = [span.of(row.evidence) for span in split_sentences(row.evidence)]
        kept = narrowed(remembering, tokenizer, sentences, row.claim)
        pairs.append(Pair(row.source, " ".join(sentences[i] for i in kept), row.claim, row.label))
    return pairs
