"""Training questions with what the making of near misses needs to know about their paragraphs."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from index.chunk import split_sentences
from index.types import Span

NAME = re.compile(r"\b[A-Z](?:[\w&-]|['’](?!s\b))*(?<!-)(?:\s+(?:of\s+)?[A-Z](?:[\w&-]|['’](?!s\b))*(?<!-))*")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Paragraph:
    """A paragraph and its sentences."""

    text: str

    @cached_property
    def sentences(self) -> list[Span]:
        """In order, in code points of `text`."""
        return split_sentences(self.text)

    @cached_property
    def normal(self) -> str:
        """The words alone, for whole-word look-ups with `has`."""
        return normal(self.text)

    def has(self, words: str) -> bool:
        """Whether these words stand in the paragraph, in a row."""
        return normal(words) in self.normal

    def holding(self, span: Span) -> range:
        """The indices of the sentences that a span touches."""
        touched = [i for i, sentence in enumerate(self.sentences) if sentence.overlaps(span)]
        return range(touched[0], touched[-1] + 1) if touched else range(0)


@dataclass(frozen=True)
class Question:
    """An answerable question: `answer` is a span of the paragraph's text."""

    text: str
    paragraph: Paragraph
    answer: Span
    article: Article


@dataclass
class Article:
    """The paragraphs of one article, with its names and numbers."""

    title: str
    paragraphs: list[Paragraph]
    questions: list[Question] = field(default_factory=list)

    @cached_property
    def names(self) -> list[str]:
        """Names that occur inside its sentences, the frequent ones first."""
        counts: Counter[str] = Counter()
        for paragraph in self.paragraphs:
            starts = {sentence.start for sentence in paragraph.sentences}
            counts.update(m.group() for m in NAME.finditer(paragraph.text) if m.start() not in starts)
        return [name for name, _ in counts.most_common()]

    def neighbours(self, question: Question, top: int = 5) -> list[Paragraph]:
        """The paragraphs most like the question by TF-IDF that lack its answer."""
        words, weights = self._tfidf
        row = np.zeros(len(words), np.float32)
        for word in _WORD.findall(question.text.casefold()):
            if word in words:
                row[words[word]] = 1
        answer = question.answer.of(question.paragraph.text)
        ranked = np.argsort(-(weights @ row), kind="stable")
        found = [p for p in (self.paragraphs[i] for i in ranked) if p is not question.paragraph and not p.has(answer)]
        return found[:top]

    @cached_property
    def _tfidf(self) -> tuple[dict[str, int], np.ndarray]:
        bags = [Counter(_WORD.findall(p.text.casefold())) for p in self.paragraphs]
        words = {word: i for i, word in enumerate(sorted(set().union(*bags)))}
        counts = np.zeros((len(bags), len(words)), np.float32)
        for row, bag in zip(counts, bags, strict=True):
            for word, n in bag.items():
                row[words[word]] = 1 + np.log(n)
        weights = counts * np.log(len(bags) / (counts > 0).sum(0)) ** 2
        return words, weights / (np.linalg.norm(weights, axis=1, keepdims=True) + 1e-9)


def normal(text: str) -> str:
    """Lower-case words between single spaces, one at either end, so that `in` finds whole words only."""
    return f" {' '.join(_WORD.findall(text.casefold()))} "


def load_squad(path: Path) -> list[Article]:
    """The articles of a SQuAD file, plain or gzipped; its unanswerable questions are left out."""
    raw = path.read_bytes()
    articles = []
    for record in json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)["data"]:
        paragraphs = [Paragraph(p["context"]) for p in record["paragraphs"]]
        article = Article(record["title"], paragraphs)
        for paragraph, source in zip(paragraphs, record["paragraphs"], strict=True):
            for qa in source["qas"]:
                if qa["answers"]:
                    first = qa["answers"][0]
                    answer = Span(first["answer_start"], first["answer_start"] + len(first["text"]))
                    article.questions.append(Question(qa["question"].strip(), paragraph, answer, article))
        articles.append(article)
    return articles


def kinds_of_names(articles: Sequence[Article]) -> dict[str, str]:
    """Name to "person" or "place", as far as the questions that it answers tell."""
    votes: dict[str, Counter[str]] = {}
    for article in articles:
        for question in article.questions:
            first = question.text.casefold()
            kind = (
                "person"
                if first.startswith(("who ", "whom ", "whose "))
                else "place"
                if first.startswith("where ")
                or re.match(r"(in |to |from )?(what|which) (country|city|state|town)", first)
                else None
            )
            if kind:
                votes.setdefault(question.answer.of(question.paragraph.text), Counter())[kind] += 1
    return {name: counts.most_common(1)[0][0] for name, counts in votes.items() if NAME.fullmatch(name)}
