#!/usr/bin/env python3
"""Time and memory of a warm extractive ask, step by step, each against its limit: the bare run of its model or index.

    python scripts/benchmark.py [--documents seeds] [--rounds 20] [--llm]

Milliseconds depend on the machine and on what else it does; the ratios, taken in one run, do not.
"""

from __future__ import annotations

import argparse
import json
import resource
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import uvicorn
from tqdm import tqdm

from index.ingest import ingest
from qa.api import create_app
from qa.build import build_qa
from qa.compose import warm_up
from qa.pipeline import QA
from qa.retrieve import retrieve
from qa.settings import load_settings
from qa.types import Event

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
    """When the quote and the model's sentence come, by itself and with eight questions at once, and memory."""
    assert qa.llm  # noqa: S101 - asked for by the caller
    loading, _ = timed(lambda: qa.llm and not qa.llm.capable and warm_up(qa.llm))
    alone: dict[str, list[Times]] = {"extractive": [], "auto": []}
    for question in tqdm(questions, desc="write", file=sys.stderr, leave=False):
        for mode, times in alone.items():
            times.append(times_of(qa.stream(question, mode=mode)))
    quotes = {mode: [item.quote for item in times if item.quote] for mode, times in alone.items()}
    written = [item.claim for item in alone["auto"] if item.written]
    print(
        f"with the LLM, loaded in {loading:.0f} ms: quote p50 {statistics.median(quotes['auto']):.1f} ms, extractive "
        f"{statistics.median(quotes['extractive']):.1f} ms; {len(written)} of {len(quotes['auto'])} answers written, "
        f"the sentence p50 {statistics.median(written):.0f} ms, longest {max(written):.0f} ms; "
        f"{memory_mb():.0f} MB at most"
    )
    asking = (questions * 8)[:32]
    for mode in ("extractive", "auto"):
        with serving(qa) as url, ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda question, mode=mode, url=url: quote_over_http(url, question, mode), asking))
        quotes[mode] = [item.quote for item in found if item.quote]
        ended = max(item.answer for item in found)
        print(f"eight at once, {mode}: quote p50 {statistics.median(quotes[mode]):.0f} ms, longest "
              f"{max(quotes[mode]):.0f} ms; all {len(found)} ended, the slowest after {ended:.0f} ms")  # fmt: skip


@dataclass(slots=True)
class Times:
    """Milliseconds until the quote, the first claim and the answer, and whether a model wrote it."""

    quote: float | None = None
    claim: float = 0.0
    answer: float = 0.0
    written: bool = False


def times_of(events: Iterable[Event]) -> Times:
    """Run through the events of a question."""
    began, times = time.perf_counter(), Times()
    for event in events:
        now = (time.perf_counter() - began) * 1000
        if event.event == "quote":
            times.quote = now
        elif event.event == "claim":
            times.claim = times.claim or now
        elif event.event == "answer":
            times.answer, times.written = now, event.answer.composed_by == "llm"
    return times


def quote_over_http(url: str, question: str, mode: str) -> Times:
    """The same over HTTP."""
    began, times = time.perf_counter(), Times()
    body = {"question": question, "mode": mode, "stream": True}
    with httpx.stream("POST", f"{url}/v1/ask", json=body, timeout=120, trust_env=False) as response:
        for line in response.iter_lines():
            if line == "event: quote":
                times.quote = (time.perf_counter() - began) * 1000
    times.answer = (time.perf_counter() - began) * 1000
    return times


@contextmanager
def serving(qa: QA) -> Iterator[str]:
    """The HTTP API on a free port, in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(create_app(qa), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def memory_mb() -> float:
    """The most memory this process has held (resident), in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
