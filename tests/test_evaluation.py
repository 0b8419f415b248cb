"""The evaluation as a whole: real models, real collections, a real server."""

from __future__ import annotations

import http.server
import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from index.ingest import ingest
from index.types import Span
from qa.api import create_app
from qa.build import build_qa
from qa.cli import main
from qa.evaluation.page import pieces
from qa.evaluation.questions import load_dataset
from qa.evaluation.run import Options, evaluate
from qa.evaluation.summary import summarise
from qa.evaluation.systems import InProcess, TimedOut
from qa.settings import load_settings
from tests.conftest import serving

DATA = Path(__file__).parent / "data"
SEEDS = DATA.parent.parent / "seeds"
QUESTIONS = DATA / "article_dev.jsonl"
ONLY_IN_PROCESS = {
    "withheld_risk_coverage_area",
    "withheld_calibration_error",
    "withheld_f1_has_answer",
    "withheld_best_f1",
}


@pytest.fixture(autouse=True)
def no_llm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_LLM", "none")


@pytest.fixture(scope="module")
def article(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """The report on the article, and its folder."""
    folder = tmp_path_factory.mktemp("article")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QA_DATA_DIR", str(folder / "data"))
        patch.setenv("QA_LLM", "none")
        return evaluate(Options(QUESTIONS, folder / "report", documents=SEEDS)), folder / "report"


def test_a_report_holds_what_it_takes_to_trust_it(article: tuple[dict[str, Any], Path]) -> None:
    report, folder = article
    assert json.loads((folder / "report.json").read_text(encoding="utf-8")) == json.loads(json.dumps(report))
    assert {"settings", "models", "dataset", "seed", "versions", "metrics", "questions"} <= report.keys()
    for part in ("embedder", "reader", "calibration"):
        assert len(report["models"][part]["sha256"]) == 64
    assert all(isinstance(value, float) for value in report["metrics"].values())
    text = (SEEDS / "nvidia-south-korea.txt").read_text(encoding="utf-8")
    ids = [question.id for question in load_dataset(QUESTIONS).questions]
    assert [line["id"] for line in report["questions"]] == ids
    for line in report["questions"]:
        assert {"id", "status", "answer", "short_answer", "citations", "scores", "error"} <= line.keys()
        for citation in line["citations"]:
            assert text[citation["start_char_index"] : citation["end_char_index"]] == citation["cited_text"]
    low, high = report["intervals"]["right"]
    assert low <= report["metrics"]["right"] <= high


def test_nothing_in_it_names_the_machine_or_the_time(article: tuple[dict[str, Any], Path]) -> None:
    _, folder = article
    for name in ("report.json", "report.md", "report.html"):
        assert str(folder.parent) not in (folder / name).read_text(encoding="utf-8")
        assert str(SEEDS.parent) not in (folder / name).read_text(encoding="utf-8")


def test_the_same_again_gives_the_same_bytes_however_many_are_asked_at_once(
    article: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    evaluate(Options(QUESTIONS, tmp_path / "again", documents=SEEDS, jobs=3))
    for name in ("report.json", "report.md"):
        assert (tmp_path / "again" / name).read_bytes() == (article[1] / name).read_bytes()


def test_a_server_gives_the_same_figures(article: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    qa = build_qa(load_settings(data_dir=tmp_path / "served"))
    ingest(qa.collections.get("default"), qa.embedder, [SEEDS])
    with serving(create_app(qa)) as url:
        over_http = evaluate(Options(QUESTIONS, tmp_path / "http", url=url, jobs=2))
    here = article[0]
    assert over_http["metrics"].keys() == here["metrics"].keys() - ONLY_IN_PROCESS
    assert over_http["metrics"] == {k: v for k, v in here["metrics"].items() if k not in ONLY_IN_PROCESS}
    assert over_http["dataset"]["documents_sha256"] == here["dataset"]["documents_sha256"]
    for ours, theirs in zip(here["questions"], over_http["questions"], strict=True):
        assert {k: v for k, v in ours.items() if k not in ("withheld", "drafted")} == {
            k: v for k, v in theirs.items() if k not in ("withheld", "drafted")
        }
    assert over_http["models"]["reader"]["name"] == qa.reader.name


def test_a_server_that_is_not_there_is_an_error_and_no_report(tmp_path: Path) -> None:
    arguments = ["evaluate", "--questions", str(QUESTIONS), "--url", "http://127.0.0.1:9", "--output", str(tmp_path)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "does not answer" in result.output
    assert not list(tmp_path.iterdir())


def test_what_was_answered_before_an_interruption_is_not_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, article: tuple[dict[str, Any], Path]
) -> None:
    asked: list[str] = []
    whole = InProcess.ask

    def interrupted(self: InProcess, question: str, collection: str) -> Any:
        if len(asked) == 7:
            raise KeyboardInterrupt
        asked.append(question)
        return whole(self, question, collection)

    output = tmp_path / "report"
    arguments = ["evaluate", "--questions", str(QUESTIONS), "--documents", str(SEEDS), "--output", str(output)]
    monkeypatch.setattr(InProcess, "ask", interrupted)
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 130
    assert "run the same command again" in result.output
    (partial,) = output.iterdir()
    with partial.open("a", encoding="utf-8") as file:
        file.write('{"id": "dev-3')  # as a crash in the middle of a line would leave it

    def counted(self: InProcess, question: str, collection: str) -> Any:
        asked.append(question)
        return whole(self, question, collection)

    monkeypatch.setattr(InProcess, "ask", counted)
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert sorted(asked) == sorted(question.question for question in load_dataset(QUESTIONS).questions)
    assert (output / "report.json").read_bytes() == (article[1] / "report.json").read_bytes()
    assert not list(output.glob("partial*"))


@pytest.mark.parametrize(
    ("error", "status"), [(RuntimeError("<b>broken"), "error"), (TimedOut("late", help=""), "timeout")]
)
def test_errors_and_time_outs_score_zero_and_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, status: str
) -> None:
    def fail(self: InProcess, question: str, collection: str) -> Any:
        raise error

    monkeypatch.setattr(InProcess, "ask", fail)
    report = evaluate(Options(QUESTIONS, tmp_path, documents=SEEDS))
    assert report["metrics"][f"{status}s"] == 30
    zero = (
        "right",
        "answerable_right",
        "unanswerable_refused",
        "exact_match",
        "f1",
        "citations_exact",
        "retrieved_mrr",
    )
    assert {name: report["metrics"][name] for name in zero} == dict.fromkeys(zero, 0)
    assert {line["status"] for line in report["questions"]} == {status}
    assert str(error).replace("<", "&lt;") in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "<b>broken" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_gate_holds_or_says_what_is_below_it(tmp_path: Path) -> None:
    def gated(floors: object) -> Any:
        (tmp_path / "floors.json").write_text(json.dumps(floors))
        arguments = [
            "--documents",
            str(SEEDS),
            "--output",
            str(tmp_path / "out"),
            "--gate",
            str(tmp_path / "floors.json"),
        ]
        return CliRunner().invoke(main, ["evaluate", "--questions", str(QUESTIONS), "--sample", "6", *arguments])

    assert gated({"citations_exact": 1.0}).exit_code == 0
    low = gated({"citations_exact": 1.01, "right": 0.0})
    assert low.exit_code == 1
    assert "citations_exact is 1, its floor is 1.01" in low.output
    assert "right is" not in low.output
    assert "no_such_metric is not measured" in gated({"no_such_metric": 0}).output
    assert gated(["right"]).exit_code == 1


def test_gold_paragraphs_are_asked_alone_and_an_open_corpus_together(tmp_path: Path) -> None:
    squad = DATA / "squad" / "sample.json"
    gold = evaluate(Options(squad, tmp_path / "gold", paragraphs="gold", sample=8))
    opened = evaluate(Options(squad, tmp_path / "open", sample=8))
    paragraphs = {question.id: question.paragraph for question in load_dataset(squad).questions}
    for line in gold["questions"]:
        assert {passage["document"] for passage in line["passages"]} == {paragraphs[line["id"]]}
    assert any(len({passage["document"] for passage in line["passages"]}) > 1 for line in opened["questions"])
    assert gold["metrics"]["retrieved_mrr"] == 1
    assert gold["dataset"]["sampled"] == 8


def test_a_baseline_says_what_got_better_and_worse(article: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    before = json.loads(json.dumps(article[0]))
    worse, better = before["questions"][0], before["questions"][13]
    assert (worse["scores"]["right"], better["scores"]["right"]) == (1, 0)
    worse["scores"]["right"], better["scores"]["right"] = 0, 1
    (tmp_path / "before.json").write_text(json.dumps(before))
    options = Options(QUESTIONS, tmp_path / "now", documents=SEEDS, baseline=tmp_path / "before.json")
    found = evaluate(options)["comparison"]
    assert ([c["id"] for c in found["better"]], [c["id"] for c in found["worse"]]) == ([worse["id"]], [better["id"]])
    assert found["scores"]["right"]["difference"] == 0
    low, high = found["scores"]["right"]["interval"]
    assert low < 0 < high
    assert found["scores"]["f1"]["interval"] == [0, 0]
    same = evaluate(replace(options, baseline=article[1] / "report.json"))["comparison"]
    assert same["better"] == same["worse"] == []


def test_a_report_against_what_is_no_report(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"questions": []}')
    arguments = ["--documents", str(SEEDS), "--baseline", str(tmp_path / "x.json"), "--output", str(tmp_path / "out")]
    result = CliRunner().invoke(main, ["evaluate", "--questions", str(QUESTIONS), *arguments])
    assert result.exit_code == 1
    assert "cannot be compared with" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Name a file of --questions"),
        (["--questions", str(QUESTIONS)], "brings no documents"),
        (["--questions", str(QUESTIONS), "--documents", str(SEEDS), "--url", "http://x"], "leave out --collection"),
        (["--questions", str(QUESTIONS), "--paragraphs", "gold", "--url", "http://x"], "in process"),
        (["--questions", str(QUESTIONS), "--collection", "nowhere"], "there is no collection nowhere"),
        (["--questions", str(QUESTIONS), "--url", "http://[::1"], "does not answer"),
        (["--questions", str(QUESTIONS), "--documents", str(SEEDS), "--gate", str(QUESTIONS)], "floors"),
        (["--grounding", str(QUESTIONS), "--documents", str(SEEDS)], "leave out --documents"),
    ],
)
def test_wrong_usage_says_what_to_do(tmp_path: Path, arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(main, ["evaluate", *arguments, "--output", str(tmp_path / "out")])
    assert result.exit_code in (1, 2)
    assert said in result.output


def test_a_server_of_another_kind_is_named_as_one(tmp_path: Path) -> None:
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>It works!</html>")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        result = CliRunner().invoke(main, ["evaluate", "--questions", str(QUESTIONS), "--url", url])
        server.shutdown()
    assert result.exit_code == 1
    assert "It works!" in result.output
    assert "Name a server of this project" in result.output


def test_a_stem_that_two_documents_have_is_no_evidence(tmp_path: Path) -> None:
    question = {"id": "1", "question": "Who founded it?", "answerable": True, "answers": ["Ada Byrne"]}
    for folder in ("a", "b"):
        (tmp_path / "docs" / folder).mkdir(parents=True)
        (tmp_path / "docs" / folder / "notes.md").write_text(f"Ada Byrne founded it in {folder}.")

    def evaluated(name: str) -> Any:
        evidence = [{"document": name, "start_char_index": 0, "end_char_index": 9}]
        (tmp_path / "q.jsonl").write_text(json.dumps({**question, "evidence": evidence}))
        arguments = ["--questions", tmp_path / "q.jsonl", "--documents", tmp_path / "docs", "--output", tmp_path / name]
        return CliRunner().invoke(main, ["evaluate", *map(str, arguments)])

    assert "may be a/notes.md or b/notes.md" in evaluated("notes").output
    whole = evaluated("a/notes.md")
    assert whole.exit_code == 0, whole.output
    assert '"retrieved_recall@1": 1.0' in whole.output
    assert "refusal_recall" not in whole.output, "nothing was to be refused"


def test_what_failed_is_no_refusal() -> None:
    scores = {"right": 0.0, "exact_match": 0.0, "f1": 0.0}
    failed = {
        "status": "error", "error": "boom", "answerable": False, "answerable_probability": 0.0, "drafted": None,
        "withheld": None, "scores": scores, "composed_by": None, "claims": [],
    }  # fmt: skip
    answered = failed | {
        "status": "answered", "error": None, "answerable": True, "answerable_probability": 0.9, "drafted": [],
        "scores": dict.fromkeys(scores, 1.0),
    }  # fmt: skip
    found = summarise([failed] * 5 + [answered] * 5)
    assert found["withheld_best_f1"] == 0.5
    assert found["withheld_calibration_error"] == pytest.approx(0.1)
    assert "auroc_answerable" not in found


def test_documents_that_hold_none_of_the_evidence_are_hardly_meant(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "hours.txt").write_text("The library opens at nine.")
    arguments = ["--documents", str(tmp_path / "docs"), "--output", str(tmp_path / "out")]
    result = CliRunner().invoke(main, ["evaluate", "--questions", str(QUESTIONS), *arguments])
    assert result.exit_code == 1
    assert "such as nvidia-south-korea" in result.output


def test_texts_of_documents_are_data_in_a_report(tmp_path: Path) -> None:
    hostile = "</blockquote><script>alert(1)</script><img src=x onerror=alert(2)>"
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.txt").write_text(f"The mill {hostile} was built in 1871 by Ada Byrne.", encoding="utf-8")
    question = {"id": "<i>1", "question": f"When was the mill {hostile} built?", "answerable": False, "answers": []}
    (tmp_path / "q.jsonl").write_text(json.dumps(question))
    evaluate(Options(tmp_path / "q.jsonl", tmp_path / "out", documents=tmp_path / "docs"))
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "alert(1)" in page
    for markup in ("<script", "<img", "<i>1", "</blockquote><script"):
        assert markup not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "src=" not in page.replace("src=x onerror", "")


def test_marks_cut_a_passage_into_pieces_that_are_the_passage() -> None:
    text = "0123456789abcdef"
    marks = {"gold": [Span(0, 6), Span(12, 40)], "cited": [Span(4, 8)]}
    cut = pieces(text, Span(2, 14), marks)
    assert "".join(piece for piece, _ in cut) == text[2:14]
    assert cut == [("23", "gold"), ("45", "gold cited"), ("67", "cited"), ("89ab", ""), ("cd", "gold")]


def test_documents_that_changed_are_indexed_again(tmp_path: Path) -> None:
    shutil.copytree(SEEDS, tmp_path / "docs")
    options = Options(QUESTIONS, tmp_path / "out", documents=tmp_path / "docs", sample=3)
    before = evaluate(options)["dataset"]["documents_sha256"]
    (tmp_path / "docs" / "more.txt").write_text("The library opens at nine on weekdays.")
    assert evaluate(options)["dataset"]["documents_sha256"] != before
    (tmp_path / "docs" / "more.txt").unlink()
    assert evaluate(options)["dataset"]["documents_sha256"] == before


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    imported = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name == "matplotlib":
            raise ImportError(name)
        return imported(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    arguments = ["evaluate", "--questions", str(QUESTIONS), "--documents", str(SEEDS), "--output", str(tmp_path)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "cited-qa[evaluate]" in result.output
