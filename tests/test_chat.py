"""`qa chat` as people use it: a real process, questions on its input, and a terminal."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from qa.cli import main
from qa.records import FILE

LIBRARY = (
    "Holm library opens at nine on weekdays. Ada Byrne founded Holm library in 1871. Ada Byrne was born in Skerrow."
)
CHAT = [sys.executable, "-m", "qa.cli", "chat", "--mode", "extractive"]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QA_LLM", "none")
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "library.txt").write_text(LIBRARY)
    assert CliRunner().invoke(main, ["ingest", str(folder)]).exit_code == 0
    return Path(os.environ["QA_DATA_DIR"])


def test_followups_are_completed_and_nothing_is_kept(data: Path) -> None:
    questions = "Who founded Holm library?\nWhere was she born?\n\n?!\nWho founded Holm library?\n"
    done = subprocess.run(CHAT, input=questions, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "understood as: Where was Ada Byrne born?" in done.stdout
    assert "“Ada Byrne was born in Skerrow.”" in done.stdout
    assert "the question is empty" in done.stderr, "an error does not end it"
    assert done.stdout.count("understood as") == 1
    assert not (data / FILE).exists()


def test_every_stage_is_explained(data: Path) -> None:
    questions = "Who founded Holm library?\nWhere was she born?\n"
    done = subprocess.run([*CHAT, "--explain"], input=questions, capture_output=True, text=True, check=False)
    assert "UNDERSTAND Where was Ada Byrne born? (by rules)" in done.stdout


def test_a_collection_that_is_not_there_is_told_at_once(data: Path) -> None:
    done = subprocess.run([*CHAT, "--collection", "nowhere"], input="", capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "nowhere" in done.stderr


@pytest.mark.parametrize("leave", ["end", "interrupt"])
def test_ctrl_d_and_ctrl_c_leave_cleanly(data: Path, leave: str) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(CHAT, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, start_new_session=True)
    os.close(theirs)
    seen = b""
    deadline = time.monotonic() + 60
    while b"? " not in seen.rpartition(b"\n")[2] and time.monotonic() < deadline:
        seen += os.read(ours, 1024)
    assert b"Ctrl-D leaves" in seen
    # A signal between the prompt and the wait for a key is kept by readline until the next key.
    while not _sleeps(process.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    if leave == "end":
        os.write(ours, b"\x04")
    else:
        os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    os.close(ours)
    assert (process.returncode, errors) == (0, b"")


def _sleeps(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"
