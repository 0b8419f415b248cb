"""A conversation on a terminal: one question after another, with what was said in memory only."""

from __future__ import annotations

import sys
from contextlib import suppress

import click

from index.errors import IndexingError
from qa import show
from qa.cli import plain
from qa.errors import QAError
from qa.pipeline import QA
from qa.trace import Trace
from qa.types import MAX_TURN_ANSWER, MAX_TURN_QUESTION, MAX_TURNS, AskedMode, Turn

GREETING = "Ask away; a follow-up is completed from what was said. Nothing is kept. Ctrl-D leaves."
PROMPT = "? "


def converse(qa: QA, *, collection: str, mode: AskedMode, top_k: int | None, explain: bool) -> None:
    """Ask and answer until the input ends, or Ctrl-C; what goes wrong with one question does not end it."""
    _line_editing()
    terminal = sys.stdin.isatty()
    if terminal:
        click.echo(GREETING)
    history: list[Turn] = []
    while True:
        try:
            question = input(PROMPT if terminal else "")
            if question.strip():
                history = [*history, _answered(qa, question, history, collection, mode, top_k, explain)][-MAX_TURNS:]
        except (EOFError, KeyboardInterrupt):
            if terminal:
                click.echo()
            return
        except (IndexingError, QAError) as error:
            click.secho(f"qa: {plain(str(error))}", err=True, fg="red")
            click.echo(plain(error.help), err=True)


def _answered(
    qa: QA, question: str, history: list[Turn], collection: str, mode: AskedMode, top_k: int | None, explain: bool
) -> Turn:
    """Print the answer to one question, and what of it later ones are completed from."""
    trace = Trace()
    answer = qa.ask(question, history=history, collection=collection, mode=mode, top_k=top_k, trace=trace)
    if answer.standalone_question:
        click.secho(plain(f"understood as: {answer.standalone_question}"), dim=True)
    click.echo(plain(show.answer(answer)))
    if explain:
        click.echo(plain("\n" + show.trace(answer, trace)))
    click.echo()
    asked = answer.standalone_question or answer.question
    return Turn(question=asked[:MAX_TURN_QUESTION].replace("\0", " "), answer=answer.answer[:MAX_TURN_ANSWER])


def _line_editing() -> None:
    """Arrow keys and history, where the platform has them."""
    with suppress(ImportError):
        import readline  # noqa: F401 - importing it is what switches it on
