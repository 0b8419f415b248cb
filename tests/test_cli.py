"""The command line as people use it: real models, real processes where it matters."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from index.catalog import reading
from index.store import LocalIndex
from qa.cli import main, plain
from qa.doctor import _index
from qa.settings import load_settings

LIBRARY = "The library opens at nine on weekdays. Ada Byrne founded it in 1871.\n\nIt lends books for a month."
QA = [sys.executable, "-m", "qa.cli"]


def qa(*arguments: str, **environment: str) -> Result:
    return CliRunner(env={"QA_LLM": "none", **environment}).invoke(main, list(arguments), catch_exceptions=False)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "library.txt").write_text(LIBRARY)
    assert qa("ingest", str(folder)).exit_code == 0
    return folder


def test_an_answer_names_document_offsets_quote_and_link(library: Path) -> None:
    result = qa("ask", "Who founded the library?")
    assert result.exit_code == 0
    assert "Ada Byrne founded it in 1871. [" in result.output
    assert "“Ada Byrne founded it in 1871.”" in result.output
    start = LIBRARY.index("Ada")
    assert f"characters {start}-{start + 29}" in result.output
    assert re.search(r"http://127\.0\.0\.1:8000/documents/doc_\w+\?collection=default#cit_", result.output)


def test_a_refusal_exits_with_3_and_shows_the_nearest_text(library: Path) -> None:
    result = qa("ask", "What is the capital of France?")
    assert result.exit_code == 3
    assert "do not answer" in result.output
    assert "[1]" not in result.output
    assert "Nearest text" in result.output


def test_json_is_the_wire_object(library: Path) -> None:
    answer: dict[str, Any] = json.loads(qa("ask", "Who founded the library?", "--json").stdout)
    assert answer["status"] == "answered"
    for citation in answer["citations"]:
        assert LIBRARY[citation["start_char_index"] : citation["end_char_index"]] == citation["cited_text"]


def test_passages_and_explain_show_every_stage(library: Path) -> None:
    output = qa("ask", "Who founded the library?", "--passages", "--explain", "--top-k", "1").output
    for word in ("dense rank", "lexical rank", "reader", "RETRIEVE", "READ", "DECIDE", "threshold", "TIME"):
        assert word in output
    assert "DECIDE     refuse" in qa("ask", "What is the capital of France?", "--explain").output


def test_explain_beside_json_leaves_the_json_whole(library: Path) -> None:
    result = qa("ask", "Who founded the library?", "--json", "--explain")
    json.loads(result.stdout)
    assert "DECIDE" in result.stderr


def test_search_list_remove(library: Path) -> None:
    assert "The library opens" in qa("search", "opening hours").output
    assert json.loads(qa("search", "opening hours", "--json").stdout)[0]["dense_rank"] == 1
    listed = qa("list").output
    assert "library.txt" in listed
    assert qa("remove", "library.txt").exit_code == 0
    assert "library.txt" not in qa("list").output
    assert qa("ask", "Who founded the library?").exit_code == 3
    gone = qa("remove", "library.txt")
    assert gone.exit_code == 1
    assert "deleted" in gone.output


def test_a_name_that_is_no_text_can_be_removed(library: Path) -> None:
    raw = b"caf\xe9.txt"
    try:
        Path(os.fsdecode(os.fsencode(library) + b"/" + raw)).write_text("Coffee is served at two.")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert qa("ingest", str(library)).exit_code == 0
    assert "1 removed" in qa("remove", os.fsdecode(raw)).output
    assert "there is no document" in qa("remove", os.fsdecode(b"\xe8.txt")).output


def test_a_collection_that_cannot_be_listed_leaves_the_others(library: Path) -> None:
    for name, content in (("a-damaged", b"no database" * 100), ("b-unfinished", b"")):
        folder = Path(os.environ["QA_DATA_DIR"]) / "collections" / name
        folder.mkdir()
        (folder / "catalog.sqlite").write_bytes(content)
    result = qa("list")
    assert result.exit_code == 0
    assert "library.txt" in result.stdout
    damaged, unfinished = result.stderr.splitlines()
    assert damaged.startswith("a-damaged: ")
    assert "ingest the documents again" in damaged
    assert "qa ingest PATH --collection b-unfinished" in unfinished
    assert qa("list", "--collection", "b-unfinished").exit_code == 1
    index = [(line.ok, line.detail) for line in _index(load_settings())]
    assert [ok for ok, _ in index] == [False, None, True]
    assert "default: 1 documents" in index[2][1]


def test_collections_are_apart(library: Path) -> None:
    (library / "dogs.txt").write_text("Dogs are welcome in the garden.")
    assert qa("ingest", str(library / "dogs.txt"), "--collection", "garden").exit_code == 0
    assert qa("ask", "Who is welcome in the garden?", "--collection", "garden").exit_code == 0
    assert "library.txt" not in qa("list", "--collection", "garden").output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ask", ""], "question is empty"),
        (["ask", "x" * 1_000_000], "1,000,000 characters"),
        (["ask", "Who?", "--collection", "none"], "qa ingest PATH --collection none"),
        (["ask", "Who?", "--collection", "../etc"], "cannot name a collection"),
        (["list", "--collection", "none"], "qa ingest"),
        (["ingest", "/no/such/place"], "/no/such/place"),
        (["remove", "doc_0123456789abcdef"], "qa list"),
    ],
)
def test_errors_are_one_line_and_what_to_do(library: Path, arguments: list[str], says: str) -> None:
    result = qa(*arguments)
    assert result.exit_code == 1
    assert says in result.output
    assert "Traceback" not in result.output
    assert len(result.output) < 500


def test_wrong_usage_exits_with_2() -> None:
    for arguments in (
        ["ask"],
        ["ask", "Who?", "--mode", "magic"],
        ["ask", "Who?", "--top-k", "0"],
        ["ingest"],
        ["fly"],
    ):
        assert qa(*arguments).exit_code == 2


def test_an_unknown_setting_is_named(library: Path) -> None:
    result = qa("ask", "Who?", QA_TOPK="4")
    assert result.exit_code == 1
    assert "QA_TOP_K" in result.output


def test_another_embedder_is_refused_with_the_command_that_rebuilds(library: Path) -> None:
    reference = "sentence-transformers/all-MiniLM-L6-v2"
    result = qa("ask", "Who founded the library?", QA_EMBEDDER=reference)
    assert result.exit_code == 1
    assert "qa ingest --rebuild --collection default" in result.output
    assert qa("ingest", "--rebuild", QA_EMBEDDER=reference).exit_code == 0
    assert qa("ask", "Who founded the library?", QA_EMBEDDER=reference).exit_code == 0
    assert qa("ask", "Who founded the library?").exit_code == 1


def test_files_that_fail_are_named_and_the_rest_is_kept(library: Path) -> None:
    (library / "image.txt").write_bytes(bytes(range(256)) * 10)
    (library / "new.txt").write_text("Parrots may sing on Sundays.")
    result = qa("ingest", str(library))
    assert result.exit_code == 1
    assert "image.txt" in result.output
    assert "1 added" in result.output


@pytest.mark.parametrize("command", [[], *([name] for name in main.commands)])
def test_every_command_has_help_with_an_example(command: list[str]) -> None:
    result = qa(*command, "--help")
    assert result.exit_code == 0
    if command != ["doctor"]:
        assert f"qa {command[0] if command else 'ask'}" in result.output.split("Options:")[0].partition("\n")[2]


def test_help_is_instant_and_extractive_answers_import_nothing_heavy(library: Path) -> None:
    script = (
        "import sys; sys.argv = ['qa', 'ask', 'Who founded the library?', '--mode', 'extractive']\n"
        "from qa.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "heavy = {'sentence_transformers', 'llama_index', 'xllamacpp', 'fastapi', 'trafilatura'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)


def test_doctor_says_what_works_and_proves_it_offline(library: Path) -> None:
    result = qa("doctor")
    assert result.exit_code == 0, result.output
    for word in ("embedder", "reader", "llm", "default: 1 documents", "offline", "Ada Byrne"):
        assert word in result.output
    assert len(result.output.splitlines()) < 25


def test_doctor_names_what_is_wrong() -> None:
    assert qa("doctor", QA_LLM="gguf:/no/such.gguf").exit_code == 1
    assert "QA_TOP_K" in qa("doctor", QA_TOPK="3").output


def test_doctor_shows_the_threshold_in_force_and_is_not_alarmed_by_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    strict = qa("doctor", QA_ANSWER_THRESHOLD="0.99")
    assert strict.exit_code == 0, strict.output
    assert "0.99 (QA_ANSWER_THRESHOLD)" in strict.output
    broken = qa("doctor", QA_DATA_DIR=str(tmp_path / "file"))
    assert broken.exit_code == 1
    assert "is no folder" in broken.output


def test_what_goes_to_a_terminal_cannot_steer_it(library: Path) -> None:
    (library / "evil.txt").write_text("Parrots\x1b[2J may \u202esing on Sundays.")
    assert plain("a\x1b[2Jb\u202ec\r\n\té🍵👩‍👩‍👧") == "a�[2Jb�c\n\té🍵👩‍👩‍👧"
    qa("ingest", str(library))
    output = qa("ask", "When may parrots sing?", "--passages", "--explain").output
    assert "\x1b[2J" not in output
    assert "\u202e" not in output


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*QA, *arguments],
        env={**os.environ, "QA_LLM": "none", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def vectors_kept(index: LocalIndex) -> int:
    with reading(index.folder / "catalog.sqlite") as db:
        return int(db.execute("SELECT count(*) FROM vectors").fetchone()[0])


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_ingest_ended_in_the_middle_leaves_what_was_there_and_goes_on(library: Path, how: signal.Signals) -> None:
    words = [f"Item {number} weighs {number * 7 % 1000} grams. " for number in range(4000)]
    for number in range(20):
        (library / f"many{number}.txt").write_text("".join(words[number * 200 : (number + 1) * 200]))
    process = start("ingest", str(library))
    index = LocalIndex(Path(os.environ["QA_DATA_DIR"]) / "collections" / "default")
    deadline = time.monotonic() + 60
    while vectors_kept(index) < 20 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert process.poll() is None, "it was over before it could be interrupted"
    process.send_signal(how)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    if how == signal.SIGINT:
        assert "run the same command again" in errors
        assert "Traceback" not in errors
    assert qa("ask", "Who founded the library?").exit_code == 0
    again = qa("ingest", str(library))
    assert again.exit_code == 0
    assert "20 added" in again.output
    embedded = int(re.search(r"(\d+) chunks embedded", again.output).group(1))  # type: ignore[union-attr]
    with index.snapshot() as snapshot:
        assert 0 < embedded < snapshot.stats().chunks - 1  # what was embedded before the end was kept


def test_a_server_answers_says_where_and_stops_on_ctrl_c(library: Path) -> None:
    process = start("serve", "--port", "0")
    assert process.stdout
    line = process.stdout.readline()
    address = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert address, line
    answer = httpx.post(f"{address[0]}/v1/ask", json={"question": "Who founded the library?"}, timeout=60).json()
    assert "Ada Byrne" in answer["answer"]
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert "Traceback" not in errors


def test_a_port_in_use_is_an_error_at_once(library: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = qa("serve", "--port", str(port))
    assert result.exit_code == 1
    assert "in use" in result.output
    assert f"--port {port + 1}" in result.output


def test_a_host_that_others_reach_is_warned_about(library: Path) -> None:
    process = start("serve", "--host", "0.0.0.0", "--port", "0")
    assert process.stdout
    assert "http://0.0.0.0:" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert "no authentication" in errors
