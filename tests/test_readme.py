"""What the README says is so: its commands print what it shows, its Python runs, its links lead somewhere."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from qa.api import create_app
from qa.build import build_qa
from qa.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLE = re.findall(r"```console\n(.*?)```", README, re.S)
PYTHON = re.findall(r"```python\n(.*?)```", README, re.S)


def commands() -> Iterator[tuple[str, str]]:
    """Each command of the README with the output it shows, in order."""
    for block in CONSOLE:
        for piece in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = piece.partition("\n")
            yield command, output


@pytest.fixture
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the documents that the README speaks of."""
    shutil.copytree(ROOT / "seeds", tmp_path / "seeds")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "hours.txt").write_text("The library opens at nine on weekdays.")
    (tmp_path / "notes.md").write_text("# Notes\n\nTea is served at four.")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QA_LLM", "none")
    return tmp_path


def without_times(text: str) -> str:
    return re.sub(r"\d+ ms", "N ms", text).strip()


def test_the_commands_print_what_it_shows(somewhere: Path) -> None:
    ran = 0
    for command, shown in commands():
        words = shlex.split(command)
        if words[0] == "qa":
            result = CliRunner().invoke(main, words[1:], catch_exceptions=False)
            assert result.exit_code in (0, 3), result.output
            if shown.strip():
                assert without_times(result.output) == without_times(shown)
        elif words[0] == "echo":
            assert words[2] == ">"
            Path(words[3]).write_text(f"{words[1]}\n")
        else:
            assert words[0] == "curl"
            url, body = next(w for w in words if w.startswith("http")), words[words.index("-d") + 1]
            path = url.removeprefix("http://127.0.0.1:8000")
            answer = TestClient(create_app(build_qa())).post(path, json=json.loads(body)).json()
            pairs = re.findall(r'"(\w+)": "([^"…]*)"', shown)
            assert len(pairs) >= 3
            assert {name: answer[name] for name, _ in pairs} == dict(pairs)
        ran += 1
    assert ran >= 6


@pytest.mark.parametrize("code", PYTHON)
def test_its_python_runs_and_prints_what_it_says(somewhere: Path, code: str) -> None:
    assert CliRunner().invoke(main, ["ingest", "seeds"]).exit_code == 0
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})  # noqa: S102 - our own README
    expected = re.findall(r'^print\(.*\)  # "?([^"…:]+?)(?:"|,? …|:|$)', code, re.M)
    assert expected
    for text in expected:
        assert text in printed.getvalue()


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_its_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    pages = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for target in set(re.findall(r"`?make ([a-z]+)\b", pages)) - {"are", "it"}:
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_it_speaks_of_every_command() -> None:
    for command in main.commands:
        assert re.search(rf"`(qa )?{command}\b|\$ qa {command}\b|`qa {command}", README), command
