"""Questions and claims written for training, one by one, where what is made from SQuAD has no eye for it.

The questions ask in other words than the text; each comes with near misses, twins of it that the passage does not
answer. The claims exchange roles, drop qualifiers, or say the same in quite other words. `training/data/README.md` says
how they were written, and what the files hold.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from index.types import Span
from qa.support import answer_claim
from training.claims import Label, Pair
from training.corpus import Article, Paragraph, Question
from training.examples import Example, restyled, view
from training.statements import statement

DATA = Path(__file__).parent / "data"
HELD_OUT = 0.1
"""Share of the passages that is never trained on."""
TOGETHER = 80
"""Passages of our own, written one after the other about like things, that make an article: rivals of each other."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that its passage answers, and near misses of it."""

    question: Question
    near: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim about a span of a passage: its evidence."""

    kind: str
    paragraph: Paragraph
    evidence: Span
    claim: str
    label: Label


def load_questions(
    articles: Sequence[Article], path: Path = DATA / "questions.jsonl"
) -> tuple[list[Asked], list[Asked]]:
    """Those to train with, and those held out. Passages are of `articles`, or stand in the file."""
    own: list[Article] = []
    parts: tuple[list[Asked], list[Asked]] = [], []
    for record, paragraph, article in _passages(articles, path):
        if article is None:
            if not own or len(own[-1].paragraphs) == TOGETHER:
                own.append(Article(f"written {len(own) + 1}", []))
            article = own[-1]
            article.paragraphs.append(paragraph)
        for asked in record["questions"]:
            question = Question(asked["question"], paragraph, Span(asked["start"], asked["end"]), article)
            parts[held_out(paragraph)].append(Asked(question, tuple(asked["near"])))
    return parts


def load_claims(articles: Sequence[Article], path: Path = DATA / "claims.jsonl") -> tuple[list[Claimed], list[Claimed]]:
    """Those to train with, and those held out. Passages are of `articles`, or stand in the file."""
    parts: tuple[list[Claimed], list[Claimed]] = [], []
    for record, paragraph, _ in _passages(articles, path):
        for claimed in record["claims"]:
            evidence, label = Span(claimed["start"], claimed["end"]), Label[claimed["label"]]
            parts[held_out(paragraph)].append(Claimed(claimed["kind"], paragraph, evidence, claimed["claim"], label))
    return parts


def kept_claims() -> list[Claimed]:
    """Claims about passages of our own that nothing is trained on: those held out, and a file of them."""
    return load_claims([])[1] + [claimed for part in load_claims([], DATA / "claims_kept.jsonl") for claimed in part]


def held_out(paragraph: Paragraph) -> bool:
    """Whether the passage is for checking: always the same ones, whatever is added to the files."""
    drawn = int.from_bytes(hashlib.sha256(paragraph.text.encode()).digest()[:4], "big") / 2**32
    return drawn < HELD_OUT


def group(rng: Random, asked: Asked) -> list[Example]:
    """The question with its passage, then up to two near misses with the same, and half of the time a rival passage."""
    question, style = asked.question, rng.getrandbits(32)
    passage, shift = view(rng, question, whole=0.2, chunk=0.35)  # what differs is near the answer; more are seen

    def styled(text: str) -> str:  # all alike, so that the style says nothing
        return restyled(Random(style), text) if style % 4 == 0 else text

    answer = Span(question.answer.start - shift, question.answer.end - shift)
    found = [Example("written", styled(question.text), passage, answer)]
    near = rng.sample(asked.near, min(2, len(asked.near)))
    found += [Example("written_near", styled(text), passage, None) for text in near]
    others = question.article.neighbours(question)
    if others and rng.random() < 0.5:
        found.append(Example("written_neighbour", styled(question.text), rng.choice(others).text, None))
    return found


def written_pair(rng: Random, claimed: Claimed) -> Pair:
    """The claim with its evidence: by itself, with the sentences around it, or the whole passage."""
    text, sentences = claimed.paragraph.text, claimed.paragraph.sentences
    held = claimed.paragraph.holding(claimed.evidence)
    before, after = rng.choice([(0, 0), (0, 0), (1, 0), (1, 1), (len(sentences), len(sentences))])
    first, last = sentences[max(0, held[0] - before)], sentences[min(len(sentences) - 1, held[-1] + after)]
    return Pair(f"written_{claimed.kind}", text[first.start : last.end], claimed.claim, claimed.label)


def misplaced_pair(rng: Random, claimed: Claimed, other: Claimed) -> Pair:
    """A true claim with evidence that is not its own: another sentence of its passage, or that of another passage's.

    Without such pairs a claim that shares no word with its evidence is mostly true among the written ones.
    """
    text = claimed.paragraph.text
    held = claimed.paragraph.holding(claimed.evidence)
    rest = [span for i, span in enumerate(claimed.paragraph.sentences) if i not in held]
    evidence = rng.choice(rest).of(text) if rest and rng.random() < 0.5 else written_pair(rng, other).evidence
    return Pair("written_misplaced", evidence, claimed.claim, Label.NOT_SUPPORTED)


def as_claims(asked: Sequence[Asked]) -> list[Claimed]:
    """What the questions say with their answers, as claims.

    Near misses with the answer of their twin are false, and so is the question with what another sentence of its
    passage says to another question.
    """
    found = []
    for item in asked:
        question = item.question
        answer = question.answer.of(question.paragraph.text)
        for text, label in [(question.text, Label.SUPPORTED), *((near, Label.NOT_SUPPORTED) for near in item.near)]:
            for claim in (statement(text, answer), answer_claim(text, answer)):
                if claim:
                    found.append(Claimed("asked", question.paragraph, question.answer, claim, label))
    for one, other in _of_one_passage(asked):
        paragraph, answer = one.paragraph, other.answer
        if not set(paragraph.holding(one.answer)) & set(paragraph.holding(answer)):
            claim = answer_claim(one.text, answer.of(paragraph.text))
            found.append(Claimed("asked", paragraph, answer, claim, Label.NOT_SUPPORTED))
    return found


def _of_one_passage(asked: Sequence[Asked]) -> Iterator[tuple[Question, Question]]:
    """Each question with the next one about its passage, the last with the first."""
    about: dict[int, list[Question]] = {}
    for item in asked:
        about.setdefault(id(item.question.paragraph), []).append(item.question)
    for questions in about.values():
        yield from zip(questions, questions[1:] + questions[:1], strict=True)


def _passages(articles: Sequence[Article], path: Path) -> Iterator[tuple[dict[str, Any], Paragraph, Article | None]]:
    """Each record with its paragraph, and the article where it is SQuAD's."""
    by_title = {article.title: article for article in articles}
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if "text" in record:
            yield record, Paragraph(record["text"]), None
        elif record["title"] in by_title:
            article = by_title[record["title"]]
            yield record, article.paragraphs[record["paragraph"]], article
