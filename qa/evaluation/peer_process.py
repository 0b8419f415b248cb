"""A peer in a process and a virtual environment of its own, spoken to in JSON lines over its standard streams.

Requests are {"do": "index" | "retrieve" | "answer", …}; each reply has `ms`, measured in the child, or `error`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from index.types import Document
from qa.evaluation.peers import PeerFailed, Side

TIMEOUT_S = 300.0
Handler = Callable[[dict[str, Any]], dict[str, Any]]


def serve(handlers: dict[str, Handler]) -> None:
    """The child's part: answer each line of standard input by the handler that its `do` names, until the input ends."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints must not come between the replies
    for line in sys.stdin:
        request = json.loads(line)
        began = time.perf_counter()
        try:
            reply = handlers[request["do"]](request)
        except Exception as error:  # whatever it is, the parent has to hear of it
            reply = {"error": f"{type(error).__name__}: {error}"}
        reply["ms"] = (time.perf_counter() - began) * 1000
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


class Child:
    """The parent's part: a running peer. Raises `PeerFailed` when it says so, dies, babbles or takes too long."""

    def __init__(self, command: Sequence[str], timeout_s: float = TIMEOUT_S) -> None:
        self.ms = 0.0
        self._timeout_s = timeout_s
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        offline = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ | offline,
            encoding="utf-8",
        )

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """The reply to one request; `ms` then has the milliseconds that the child measured."""
        assert self._process.stdin  # noqa: S101 - asked for above
        assert self._process.stdout  # noqa: S101
        killer = threading.Timer(self._timeout_s, self._process.kill)
        killer.start()
        try:
            self._process.stdin.write(json.dumps({"do": do, **request}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
            reply: dict[str, Any] = json.loads(line)
        except (OSError, ValueError) as error:
            raise PeerFailed(f"it ended or babbled at `{do}`: {self._last_words()}") from error
        finally:
            killer.cancel()
        if "error" in reply:
            raise PeerFailed(reply["error"])
        self.ms = reply["ms"]
        return reply

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def _last_words(self) -> str:
        self._process.kill()
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {self._process.returncode}, no message"


def environment(name: str, requirements: Sequence[str], folder: Path, root: Path) -> Path:
    """The Python of the peer's own virtual environment below `folder`, made when it is not there yet.

    It gets this project too, from its checkout at `root`. Raises `PeerFailed`.
    """
    home = folder / name
    python, stamp = home / "bin" / "python", home / "installed.txt"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == "\n".join(requirements):
        return python
    print(f"{name}: making {home} (some 2 GB, minutes; kept for the next run)", file=sys.stderr)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, stdout=sys.stderr)  # noqa: S603
        install = [str(python), str(root / "scripts" / "pip_install.py"), *requirements, "--editable", str(root)]
        subprocess.run(install, check=True, stdout=sys.stderr)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        raise PeerFailed(f"{name} could not be installed into {home}; see above, and run again") from error
    stamp.write_text("\n".join(requirements), encoding="utf-8")
    return python


def side(child: Child, name: str, documents: Sequence[Document], **setup: Any) -> Side:
    """A peer to race: it has indexed the documents, and has retrieved and answered once to be warm."""
    for _ in range(2):  # the first time loads the models; the second is measured
        child.ask("index", documents=[asdict(document) for document in documents], **setup)
    index_s = child.ms / 1000

    def retrieve(question: str) -> object:
        return child.ask("retrieve", question=question)["texts"]

    def answer(question: str) -> tuple[str, Sequence[str]]:
        reply = child.ask("answer", question=question)
        return reply["text"], reply["cited"]

    retrieve("What is this about?")
    answer("What is this about?")
    return Side(name, retrieve, answer, index_s, lambda: child.ms)
