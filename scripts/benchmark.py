#!/usr/bin/env python3
"""Time and memory of a warm extractive ask, step by step, each against its limit: the bare run of its model or index.

    python scripts/benchmark.py [--documents seeds] [--rounds 20] [--llm]

Milliseconds depend on the machine and on what else it does; the ratios, taken in one run, do not.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from index.ingest import ingest
from qa.build import build_qa
from qa.pipeline import QA
from qa.retrieve import retrieve
from qa.settings import load_settings

QUESTIONS = Path(__file__).parent.parent / "tests" / "data" / "article_dev.jsonl"


def main() -> None:
    """Measure in rounds, so that a noisy moment falls on all steps alike; print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=Path, default=Path(__file__).parent.parent / "seeds")
    parser.add_argument("--questions", type=Path, default=QUESTIONS, help="JSON lines with a field `question`")
    parser.add_argument("--rounds", type=int, default=5, help="times each question is asked")
    parser.add_argument("--llm", action="store_true", help="measure the language model, too")
    options = parser.parse_args()
    questions = [json.loads(line)["question"] for line in options.questions.read_text(encoding="utf-8").splitlines()]

    base = memory_mb()
    with tempfile.TemporaryDirectory() as folder:
        qa = build_qa(load_settings(data_dir=Path(folder)))
        began = time.perf_counter()
        report = ingest(qa.collections.get("default"), qa.embedder, [options.documents])
        print(f"ingest: {report.embedded} chunks in {time.perf_counter() - began:.2f} s, models loaded on the way\n")
        qa.ask(questions[0], mode="extractive")
        steps = measure(qa, questions, options.rounds)
        print_table(steps)
        print(f"\nmemory without the LLM: {memory_mb():.0f} MB at most ({base:.0f} MB before anything was loaded)")
        if options.llm and qa.llm:
            print_llm(qa, questions)


def measure(qa: QA, questions: list[str], rounds: int) -> dict[str, tuple[list[float], list[float]]]:
    """For each step the milliseconds it took and those of its limit, over all questions and rounds."""
    steps: dict[str, tuple[list[float], list[float]]] = {}

    def add(name: str, spent: float, limit: float) -> None:
        steps.setdefault(name, ([], []))
        steps[name][0].append(spent)
        steps[name][1].append(limit)

    index = qa.collections.get("default")
    for question in tqdm(questions * rounds, desc="ask", file=sys.stderr, leave=False):
        answer_ms, _ = timed(lambda q=question: qa.ask(q, mode="extractive"))
        embed_ms, vector = timed(lambda q=question: qa.embedder.embed_query(q))
        embed_limit = bare_embedding(qa, question)
        with index.snapshot() as snapshot:
            dense_ms, _ = timed(lambda s=snapshot, v=vector: s.dense(v, qa.settings.candidates))
            faiss_index = index._cached[1]  # the bare FAISS index
            k = min(qa.settings.candidates, faiss_index.ntotal)
            dense_limit, _ = timed(lambda v=vector, f=faiss_index, n=k: f.search(v[None], n))
            lexical_ms, _ = timed(lambda q=question, s=snapshot: s.lexical(q, qa.settings.candidates))
            ranked = retrieve(
                snapshot, qa.embedder, question, top_k=qa.settings.top_k, candidates=qa.settings.candidates
            )
        passages = [item.passage.text for item in ranked]
        read_ms, _ = timed(lambda q=question, p=passages: qa.reader.read(q, p))
        read_limit = bare_reading(qa, question, passages)
        add("embed the question", embed_ms, embed_limit)
        add("dense search", dense_ms, dense_limit)
        add("lexical search", lexical_ms, lexical_ms)
        add(f"read {qa.settings.top_k} passages", read_ms, read_limit)
        add("the whole answer", answer_ms, embed_limit + dense_limit + lexical_ms + read_limit)
    return steps


def bare_embedding(qa: QA, question: str) -> float:
    """The ONNX run alone, on inputs made beforehand."""
    ids = np.array([qa.embedder._tokenizer.encode(question).ids], np.int64)
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    return timed(lambda: qa.embedder._session.run(None, feed))[0]


def bare_reading(qa: QA, question: str, passages: list[str]) -> float:
    """The reader's runs alone, on pairs encoded beforehand."""
    tokenizer, network = qa.reader._loaded
    pairs = [tokenizer.encode(question, passage) for passage in passages]
    return timed(lambda: [network(pair) for pair in pairs])[0]


def timed(run: Callable[[], object]) -> tuple[float, object]:
    """Milliseconds and result."""
    began = time.perf_counter()
    result = run()
    return (time.perf_counter() - began) * 1000, result


def print_table(steps: dict[str, tuple[list[float], list[float]]]) -> None:
    """p50 and p95 of each step, p50 of its limit, and the ratio of the two p50."""
    print("| step | p50 ms | p95 ms | limit p50 ms | ratio |\n| --- | ---: | ---: | ---: | ---: |")
    for name, (spent, limits) in steps.items():
        p50, limit = statistics.median(spent), statistics.median(limits)
        print(f"| {name} | {p50:.1f} | {np.percentile(spent, 95):.1f} | {limit:.1f} | {p50 / limit:.2f} |")


def print_llm(qa: QA, questions: list[str]) -> None:
    """Time of the answers that the language model was asked to phrase, its first one apart, and memory."""
    first, _ = timed(lambda: qa.ask(questions[0], mode="auto"))
    spent = []
    for question in tqdm(questions, desc="phrase", file=sys.stderr, leave=False):
        milliseconds, answer = timed(lambda q=question: qa.ask(q, mode="auto"))
        if answer.status == "answered":
            spent.append(milliseconds)
    print(f"with the LLM: first answer {first:.0f} ms (loads the model), then p50 {statistics.median(spent):.0f} ms, "
          f"p95 {np.percentile(spent, 95):.0f} ms; memory {memory_mb():.0f} MB at most")  # fmt: skip


def memory_mb() -> float:
    """The most memory this process has held (resident), in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
