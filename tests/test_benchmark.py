"""What the benchmark measures is what it says; how long it takes is not tested."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from llama_index.core.llms import MockLLM

from index.types import Document
from qa.evaluation import growth, peer_process, peers
from qa.evaluation.questions import Question
from scripts.benchmark import Told, summary
from tests.conftest import MakeQA

TEXTS = ["The library opens at nine on weekdays. Ada Byrne founded it in 1871. It lends books for a month."]
QUESTIONS = ["When does the library open?", "Who founded the library?"]


def test_resampled_text_is_cut_into_about_as_many_chunks_the_same_every_time() -> None:
    documents = growth.resampled(120, TEXTS)
    assert [document.text for document in documents] == [document.text for document in growth.resampled(120, TEXTS)]
    assert [document.text.count("\n\n") + 1 for document in documents] == [50, 50, 20]
    assert all(paragraph for document in documents for paragraph in document.text.split("\n\n"))


@pytest.mark.parametrize("embed_up_to", [1000, 0])
def test_growth_of_a_small_collection(embed_up_to: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = growth.grow(60, TEXTS, QUESTIONS, embed_up_to)
    assert found.chunks > 20
    assert (found.embedded == 0) == (embed_up_to == 0)
    assert found.recall == 1  # exact search is exact
    assert found.disk_mb > 0
    assert found.memory_mb > 0
    assert growth.table([found]).count("\n") == 2


def test_vectors_alone_are_found() -> None:
    found = growth.vectors_alone(2000, dim=16, queries=10)
    assert found["recall"] == 1
    assert found["vectors"] == 2000


def test_the_peer_answers_the_same_questions_with_the_same_embedder(make_qa: MakeQA) -> None:
    qa = make_qa({"library.txt": TEXTS[0]})
    questions = [
        Question("1", QUESTIONS[0], ("nine",), ()),
        Question("2", "What is the capital of France?", (), ()),
    ]
    document = Document("library.txt", "Library", TEXTS[0], "library.txt")
    sides = [
        peers.ours(qa, "extractive", "ours", 1.0),
        peers.llamaindex([document], qa.embedder, MockLLM(max_tokens=1), "theirs", 2),
    ]
    ours, theirs = peers.race(sides, questions)
    assert (ours.right, ours.cited, ours.uncited) == (1, 1, 1)
    assert (theirs.right, theirs.cited, theirs.uncited) == (0, 0, 1)  # it says one word and cites nothing
    assert len(ours.answer_ms) == len(theirs.answer_ms) == 2
    assert "1 of 1" in peers.table(sides, [ours, theirs], questions)


def test_what_was_measured_is_kept_section_by_section(tmp_path: Path) -> None:
    Told(tmp_path).say("Steps", "| old |", 1)
    Told(tmp_path).say("Growth", "| grown |", 2)
    Told(tmp_path).say("Steps", "| new |", 3)
    text = (tmp_path / "benchmark.md").read_text(encoding="utf-8")
    assert "| grown |" in text
    assert "| new |" in text
    assert "| old |" not in text
    assert json.loads((tmp_path / "benchmark.json").read_text())["Steps"]["data"] == 3


def test_a_ratio_is_that_of_the_medians() -> None:
    row = summary([2.0, 4.0, 100.0], [1.0, 2.0, 3.0])
    assert (row["p50_ms"], row["limit_p50_ms"], row["ratio"]) == (4, 2, 2)


CHILD = """
import sys
from qa.evaluation.peer_process import serve

def index(request):
    print("a library that prints")
    global texts
    texts = [document["text"] for document in request["documents"]]
    return {}

def answer(request):
    if "France" in request["question"]:
        HOW_IT_FAILS
    return {"text": texts[0], "cited": texts}

serve({"index": index, "retrieve": lambda request: {"texts": texts}, "answer": answer})
"""


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("pass", ""),
        ("raise ValueError('no | such\\ncountry')", "no / such country"),
        ("import os; sys.stderr.write('out of memory'); sys.stderr.flush(); os._exit(1)", "out of memory"),
    ],
)
def test_a_peer_in_a_process_of_its_own_is_raced_and_may_fail_alone(how: str, message: str, make_qa: MakeQA) -> None:
    qa = make_qa({"library.txt": TEXTS[0]})
    questions = [Question("1", QUESTIONS[0], ("nine",), ()), Question("2", "Where is France?", (), ())]
    document = Document("library.txt", "Library", TEXTS[0], "library.txt")
    child = peer_process.Child([sys.executable, "-c", CHILD.replace("HOW_IT_FAILS", how)])
    try:
        sides = [
            peer_process.side(child, "theirs", [document]),
            peers.ours(qa, "extractive", "ours", 1.0),
        ][::-1]
        ours, theirs = peers.race(sides, questions)
    finally:
        child.close()
    assert (ours.right, ours.uncited, len(ours.answer_ms)) == (1, 1, 2)
    assert (theirs.right, theirs.cited, theirs.uncited) == (1, 1, 0)
    rows = peers.table(sides, [ours, theirs], questions)
    assert bool(theirs.failed) == bool(message)
    assert message in rows
    assert len({row.count("|") for row in rows.splitlines()}) == 1


def test_a_peer_that_hangs_is_ended() -> None:
    child = peer_process.Child([sys.executable, "-c", "import time; time.sleep(60)"], timeout_s=0.5)
    with pytest.raises(peers.PeerFailed, match="no message"):
        child.ask("retrieve", question="?")
    child.close()


def test_a_peer_that_cannot_be_installed_says_so(tmp_path: Path) -> None:
    (tmp_path / "txtai").write_text("in the way")
    with pytest.raises(peers.PeerFailed, match="could not be installed"):
        peer_process.environment("txtai", ["txtai"], tmp_path, tmp_path)
