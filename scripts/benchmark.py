#!/usr/bin/env python3
"""Time and memory of each step and of the whole, as ratios in one run: against the limit, and against a peer.

    python scripts/benchmark.py                                    # each step against its limit
    python scripts/benchmark.py --llm --peer                       # with the language model; against LlamaIndex
    python scripts/benchmark.py --peer --txtai                     # against txtai, too, in an environment of its own
    python scripts/benchmark.py --growth 1000 10000 100000         # collections of resampled text
    python scripts/benchmark.py --vectors 1000000                  # the vector index alone, up to 4 GB of memory

The limit of a step is the bare run of its model or index on inputs made beforehand. Milliseconds depend on the machine
and on what else it does; the ratios, taken in one run, do not. Everything is printed as Markdown; --output keeps it.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import uvicorn
from tqdm import tqdm

from index.ingest import ingest
from index.load import find_files, load_file
from qa.api import create_app
from qa.build import build_qa
from qa.compose import warm_up
from qa.evaluation import growth, peer_process, peers, txtai_peer
from qa.evaluation.questions import Question, load_dataset
from qa.evaluation.report import write_json
from qa.grounding import Fact
from qa.pipeline import QA
from qa.retrieve import retrieve
from qa.settings import load_settings
from qa.support import encode
from qa.types import Event

ROOT = Path(__file__).parent.parent
QUESTIONS = ROOT / "tests" / "data" / "article_dev.jsonl"
RESAMPLED = ROOT / "tests" / "data" / "squad" / "sample.json"
TOKENS = 48


def main() -> None:
    """Run what is asked for, in rounds, so that a noisy moment falls on all steps alike."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=Path, default=ROOT / "seeds")
    parser.add_argument("--questions", type=Path, default=QUESTIONS, help="as for `qa evaluate`")
    parser.add_argument("--rounds", type=int, default=5, help="times each question is asked (default 5)")
    parser.add_argument("--llm", action="store_true", help="measure the language model, too")
    parser.add_argument("--peer", action="store_true", help="against LlamaIndex's CitationQueryEngine, same models")
    parser.add_argument("--txtai", action="store_true", help="with --peer: against txtai too (installs 2 GB once)")
    parser.add_argument("--growth", type=int, nargs="+", metavar="CHUNKS", help="sizes of collections to make and ask")
    parser.add_argument("--texts", type=Path, default=RESAMPLED, help="SQuAD file whose sentences growth draws from")
    parser.add_argument("--embed-up-to", type=int, default=20_000, help="larger collections get made-up vectors")
    parser.add_argument("--vectors", type=int, nargs="+", metavar="N", help="sizes of the vector index alone")
    parser.add_argument("--output", type=Path, help="folder for benchmark.md and benchmark.json")
    options = parser.parse_args()
    if options.txtai and not options.peer:
        parser.error("--txtai joins the race of --peer: name both")

    told = Told(options.output)
    questions = list(load_dataset(options.questions).questions)
    if not options.growth and not options.vectors:
        told.say("Steps", *steps(options, questions))
    if options.growth:
        dataset = load_dataset(options.texts)
        texts, asked = [d.text for d in dataset.paragraphs], [q.question for q in dataset.questions[:100]]
        rows = []
        for size in tqdm(options.growth, desc="grow", file=sys.stderr, disable=None):
            rows.append(growth.grow(size, texts, asked, options.embed_up_to))
            told.say("Growth", growth.table(rows), growth.as_json(rows))  # after each: the next one may take an hour
    if options.vectors:
        sizes = [growth.vectors_alone(size) for size in options.vectors]
        told.say("Vectors alone", vectors_table(sizes), sizes)


class Told:
    """What was measured: printed as it comes, and kept in files, section by section, over several runs."""

    def __init__(self, output: Path | None) -> None:
        self._output = output

    def say(self, title: str, markdown: str, data: Any) -> None:
        """Print a section, and put it into the place of an earlier one of its name."""
        print(f"## {title}\n\n{markdown}\n")
        if not self._output:
            return
        path = self._output / "benchmark.json"
        sections = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        sections[title] = {"markdown": markdown, "data": data}
        write_json(sections, path)
        parts = [f"## {name}\n\n{section['markdown']}\n" for name, section in sorted(sections.items())]
        head = "# Benchmark\n\nMade by `scripts/benchmark.py`; [what it means](../performance.md).\n\n"
        text = head + "\n".join(parts)
        (self._output / "benchmark.md").write_text(text, encoding="utf-8")


def steps(options: argparse.Namespace, questions: list[Question]) -> tuple[str, Any]:
    """Each step of asking and of ingest against its limit; the language model and the peer where they are asked for."""
    texts = [question.question for question in questions]
    base = growth.peak_mb()
    with tempfile.TemporaryDirectory() as folder:
        qa = build_qa(load_settings(data_dir=Path(folder)))
        began = time.perf_counter()
        report = ingest(qa.collections.get("default"), qa.embedder, [options.documents])
        index_s = time.perf_counter() - began
        qa.ask(texts[0], mode="extractive")
        measured = measure(qa, texts, options.rounds)
        measured |= {"embed a chunk, at ingest": ingest_step(qa), "judge a pair of 64 word pieces": judge_step(qa)}
        lines = [
            table(measured),
            "",
            f"Memory without the LLM: {growth.peak_mb():.0f} MB at most ({base:.0f} MB before anything was loaded). "
            f"Ingest: {report.embedded} chunks in {index_s:.2f} s, models loaded on the way.",
            f"Checking 5 claims against 5 passages: p50 {statistics.median(check_step(qa)):.0f} ms.",
        ]
        data: dict[str, Any] = {"steps": {name: summary(*times) for name, times in measured.items()}}
        if options.llm and qa.llm:
            data["llm_tokens_a_second"] = tokens = tokens_a_second(qa)
            lines += [
                "",
                f"Tokens a second: {tokens['ours']:.1f} through the project, {tokens['limit']:.1f} by llama.cpp's own "
                f"clock, ratio {tokens['limit'] / tokens['ours']:.2f}.",
                "",
                *language_model(qa, texts),
            ]
        if options.peer:
            sides = peer(qa, options.documents)
            with txtai(qa, options.documents) if options.txtai else nullcontext([]) as more:
                sides += more
                results = peers.race(sides, questions)
            data["peer"] = {side.name: asdict(result) for side, result in zip(sides, results, strict=True)}
            lines += ["", peers.table(sides, results, questions)]
    return "\n".join(lines), data


def peer(qa: QA, documents: Path) -> list[peers.Side]:
    """This service and LlamaIndex's engine, each indexing anew, with models that are loaded already."""
    from llama_index.core.llms import MockLLM

    began = time.perf_counter()
    ingest(qa.collections.get("peer"), qa.embedder, [documents])
    index_s = time.perf_counter() - began
    loaded = [load_file(path, uri=uri, max_bytes=20_000_000) for path, uri in find_files(documents)]
    top_k = qa.settings.top_k
    sides = [
        peers.ours(qa, "extractive", "this service, verbatim", index_s),
        peers.llamaindex(loaded, qa.embedder, MockLLM(max_tokens=1), "LlamaIndex, a model that costs nothing", top_k),
    ]
    if qa.llm:
        warm_up(qa.llm)
        sides += [
            peers.ours(qa, "auto", f"this service, {qa.llm.name}", index_s),
            peers.llamaindex(loaded, qa.embedder, _roomy(), f"LlamaIndex, {qa.llm.name}, two passages", 2),
        ]
    return sides


@contextmanager
def txtai(qa: QA, documents: Path) -> Iterator[list[peers.Side]]:
    """The sides of txtai, with the models of this service; none, and a message, where it cannot run."""
    from qa.bundled import bundled_model_path

    loaded = [load_file(path, uri=uri, max_bytes=20_000_000) for path, uri in find_files(documents)]
    top_k = qa.settings.top_k
    setups = [("txtai, a model that costs nothing", "", top_k)]
    if qa.llm:
        setups.append((f"txtai, {qa.llm.name}, two passages", str(bundled_model_path()), 2))
    sides = []
    with ExitStack() as stack:
        try:
            python = peer_process.environment("txtai", txtai_peer.REQUIREMENTS, ROOT / ".qa" / "peers", ROOT)
            for name, llm, context in setups:
                child = peer_process.Child([str(python), "-m", "qa.evaluation.txtai_peer"])
                stack.callback(child.close)
                sides.append(peer_process.side(child, name, loaded, llm=llm, top_k=top_k, context=context))
        except peers.PeerFailed as error:
            print(f"txtai is left out: {error}", file=sys.stderr)
        yield sides


def _roomy() -> Any:
    """The bundled model with room for LlamaIndex's prompt, which is longer than ours."""
    from qa.bundled import bundled_model_path
    from qa.llama_cpp import LlamaCpp

    path = bundled_model_path()
    assert path  # noqa: S101 - the caller's service has one
    return LlamaCpp(model_path=path, context_window=4096, max_tokens=64, timeout=120)


def ingest_step(qa: QA) -> tuple[list[float], list[float]]:
    """Embedding the chunks of the collection again, one by one, and the bare run on each."""
    spent, limits = [], []
    with qa.collections.get("default").snapshot() as snapshot:
        texts = [passage.text for passage in snapshot.passages(range(1, snapshot.stats().chunks + 1))]
    for text in (texts * 5)[:200]:
        spent.append(timed(lambda t=text: qa.embedder.embed_documents([t]))[0])
        limits.append(bare_embedding(qa, text))
    return spent, limits


def judge_step(qa: QA) -> tuple[list[float], list[float]]:
    """The support model on evidence and a claim of 64 word pieces together, and its bare run on them."""
    judge: Any = qa.judge
    tokenizer, session = judge.tokenizer, judge._session
    spent, limits = [], []
    with qa.collections.get("default").snapshot() as snapshot:
        texts = [passage.text for passage in snapshot.passages(range(1, snapshot.stats().chunks + 1))]
    for text in (texts * 20)[:100]:
        evidence, claim = (tokenizer.decode(tokenizer.encode(text).ids[a:b]) for a, b in ((1, 42), (42, 61)))
        pair = encode(tokenizer, evidence, claim)
        feed = {"input_ids": pair.ids, "attention_mask": [1] * len(pair.ids), "token_type_ids": pair.type_ids}
        arrays = {name: np.array([row], np.int64) for name, row in feed.items()}
        spent.append(timed(lambda e=evidence, c=claim: judge(e, c))[0])
        limits.append(timed(lambda a=arrays: session.run(None, a))[0])
    return spent, limits


def check_step(qa: QA) -> list[float]:
    """Milliseconds of checking five sentences, their first words moved to the end, against the passages they are from.

    The exact checks leave such claims to the model.
    """
    with qa.collections.get("default").snapshot() as snapshot:
        passages = snapshot.passages(range(1, min(6, snapshot.stats().chunks + 1)))
    sentences = [passage.slice(passage.sentences[0]).rstrip(".").split() for passage in passages]
    text = " ".join(f"{' '.join(words[3:]).capitalize()} {' '.join(words[:3])}." for words in (sentences * 5)[:5])
    facts = [Fact(fact_text=passage.text) for passage in passages]
    return [timed(lambda: qa.check(text, facts=facts))[0] for _ in range(20)]


def tokens_a_second(qa: QA) -> dict[str, float]:
    """Tokens a second that reach whoever asked, and those that llama.cpp counts while it writes the same text."""
    from qa import llama_cpp

    assert qa.llm  # noqa: S101 - looked at by the caller
    llm: Any = qa.llm.load()
    server = llama_cpp._server(llm.model_path, llm.context_window, llm.parallel, llm.threads)
    prompt = "The library opens at nine because"
    request = {"prompt": prompt, "max_tokens": TOKENS, "temperature": 0.0, "cache_prompt": True}
    server.handle_completions(dict(request))
    ours, limits = [], []
    for _ in range(5):
        bare = server.handle_completions(dict(request))["timings"]
        limits.append(bare["predicted_n"] / (bare["predicted_ms"] + bare["prompt_ms"]) * 1000)
        ms, _ = timed(lambda: "".join(llm._generate({"prompt": prompt}, max_tokens=TOKENS)))
        ours.append(bare["predicted_n"] / ms * 1000)
    return {"ours": round(statistics.median(ours), 2), "limit": round(statistics.median(limits), 2)}


def vectors_table(sizes: Sequence[dict[str, float]]) -> str:
    """The sizes of the vector index alone, as a Markdown table."""
    head = list(sizes[0])
    rows = [f"| {' | '.join(f'{row[name]:,}' for name in head)} |" for row in sizes]
    return "\n".join([f"| {' | '.join(name.replace('_', ' ') for name in head)} |", "| ---: " * len(head) + "|", *rows])


def measure(qa: QA, questions: list[str], rounds: int) -> dict[str, tuple[list[float], list[float]]]:
    """For each step the milliseconds it took and those of its limit, over all questions and rounds."""
    steps: dict[str, tuple[list[float], list[float]]] = {}

    def add(name: str, spent: float, limit: float) -> None:
        steps.setdefault(name, ([], []))
        steps[name][0].append(spent)
        steps[name][1].append(limit)

    index = qa.collections.get("default")
    for question in tqdm(questions * rounds, desc="ask", file=sys.stderr, leave=False, disable=None):
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


def summary(spent: list[float], limits: list[float]) -> dict[str, float]:
    """p50 and p95 of a step, p50 of its limit, in milliseconds, and the ratio of the two p50."""
    p50, limit = statistics.median(spent), statistics.median(limits)
    return {
        "p50_ms": round(p50, 2),
        "p95_ms": round(float(np.percentile(spent, 95)), 2),
        "limit_p50_ms": round(limit, 3),
        "ratio": round(p50 / limit, 2),
    }


def table(measured: dict[str, tuple[list[float], list[float]]]) -> str:
    """The steps as a Markdown table."""
    lines = ["| step | p50 ms | p95 ms | limit p50 ms | ratio |", "| --- | ---: | ---: | ---: | ---: |"]
    for name, times in measured.items():
        row = summary(*times)
        lines.append(
            f"| {name} | {row['p50_ms']:.1f} | {row['p95_ms']:.1f} | {row['limit_p50_ms']:.2f} | {row['ratio']:.2f} |"
        )
    return "\n".join(lines)


def language_model(qa: QA, questions: list[str]) -> Iterator[str]:
    """When the quote and the model's sentence come, by itself and with eight questions at once, and memory."""
    assert qa.llm  # noqa: S101 - asked for by the caller
    loading, _ = timed(lambda: qa.llm and not qa.llm.capable and warm_up(qa.llm))
    alone: dict[str, list[Times]] = {"extractive": [], "auto": []}
    for question in tqdm(questions, desc="write", file=sys.stderr, disable=None):
        for mode, times in alone.items():
            times.append(times_of(qa.stream(question, mode=mode)))
    quotes = {mode: [item.quote for item in times if item.quote] for mode, times in alone.items()}
    written = [item.claim for item in alone["auto"] if item.written]
    yield (
        f"With the LLM, loaded in {loading:.0f} ms: quote p50 {statistics.median(quotes['auto']):.1f} ms, extractive "
        f"{statistics.median(quotes['extractive']):.1f} ms; {len(written)} of {len(quotes['auto'])} answers written, "
        f"the sentence p50 {statistics.median(written):.0f} ms, longest {max(written):.0f} ms; "
        f"{growth.peak_mb():.0f} MB at most."
    )
    asking = (questions * 8)[:32]
    for mode in ("extractive", "auto"):
        with serving(qa) as url, ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda question, mode=mode, url=url: quote_over_http(url, question, mode), asking))
        quotes[mode] = [item.quote for item in found if item.quote]
        ended = max(item.answer for item in found)
        yield (
            f"Eight at once, {mode}: quote p50 {statistics.median(quotes[mode]):.0f} ms, longest "
            f"{max(quotes[mode]):.0f} ms; all {len(found)} ended, the slowest after {ended:.0f} ms."
        )


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


if __name__ == "__main__":
    main()
