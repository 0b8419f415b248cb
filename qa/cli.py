"""The command line. Heavy imports wait inside the command that needs them, so that `qa --help` is instant."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qa.evaluation.command import evaluate

if TYPE_CHECKING:
    from index.ingest import IngestReport, Progress

# 2 is click's own, for wrong usage.
EXIT_ERROR, EXIT_REFUSED, EXIT_INTERRUPTED = 1, 3, 130

_UNSAFE_ON_A_TERMINAL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

collection_option = click.option(
    "--collection", default="default", show_default=True, metavar="NAME", help="The collection to use."
)
top_k_option = click.option(
    "--top-k", type=click.IntRange(1, 50), default=None, help="Passages to retrieve.  [default: QA_TOP_K]"
)
mode_option = click.option(
    "--mode",
    type=click.Choice(["auto", "extractive", "generative"]),
    default="auto",
    show_default=True,
    help="extractive: sentences of the documents, unchanged. generative: a capable language model writes, and what it "
    "writes is verified. auto: as the question and the model allow.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the object of the HTTP API.")


class _Commands(click.Group):
    """Lists commands in the order one needs them, and turns errors that say what to do into a line on stderr."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        from index.errors import IndexingError
        from qa.errors import QAError

        try:
            return super().invoke(ctx)
        except (IndexingError, QAError) as error:
            click.secho(f"qa: {plain(str(error))}", err=True, fg="red")
            click.echo(plain(error.help), err=True)
            sys.exit(EXIT_ERROR)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cited-qa")
def main() -> None:
    """Ask your own documents. Every sentence of an answer cites the exact span that supports it.

    \b
    qa ingest docs/
    qa ask "When does the library open?"
    """


@main.command()
@click.argument("question")
@collection_option
@mode_option
@top_k_option
@click.option("--passages", is_flag=True, help="Print what was retrieved, too.")
@click.option("--explain", is_flag=True, help="Print every stage: ranks, reader scores, spans, probability, decision.")
@json_option
def ask(
    question: str, collection: str, mode: Any, top_k: int | None, passages: bool, explain: bool, as_json: bool
) -> None:
    """Answer QUESTION with citations.

    Exit code 0: answered. 3: the documents do not answer it. 1: an error. 2: wrong usage.

    \b
    qa ask "When does the library open?"
    qa ask "When does the library open?" --mode extractive --json
    qa ask "Who founded it?" --collection history --explain
    """
    from qa import show
    from qa.build import build_qa
    from qa.trace import Trace

    trace = Trace()
    answer = build_qa().ask(question, collection=collection, mode=mode, top_k=top_k, trace=trace)
    if as_json:
        click.echo(answer.model_dump_json(indent=2))
    else:
        click.echo(plain(show.answer(answer)))
        if passages:
            click.echo(plain("\n" + show.passages(answer.passages)))
    if explain:
        click.echo(plain("\n" + show.trace(answer, trace)), err=as_json)
    sys.exit(0 if answer.status == "answered" else EXIT_REFUSED)


@main.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--against",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Check against these files or folders, not against a collection; may be given several times.",
)
@collection_option
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=None,
    help="Least score to pass.  [default: QA_SUPPORT_THRESHOLD]",
)
@json_option
def check(file: Path, against: tuple[Path, ...], collection: str, threshold: float | None, as_json: bool) -> None:
    """Check every sentence of FILE: do the documents support it? `-` reads standard input.

    Exit code 0: all are supported. 3: some are not. 1: an error. 2: wrong usage.

    \b
    qa check draft.md
    qa check draft.md --against report.txt --against notes/
    echo "Nvidia is a chip maker." | qa check - --json
    """
    from index.decode import decode
    from index.load import find_files, load_file
    from qa import show
    from qa.build import build_qa
    from qa.grounding import Fact
    from qa.settings import load_settings

    most = int(load_settings().max_document_mb * 1_000_000)
    if str(file) == "-":
        text = decode(sys.stdin.buffer.read(most), "standard input")
    else:
        text = load_file(file, uri=file.name, max_bytes=most).text
    facts = None
    if against:
        documents = [load_file(p, uri=name, max_bytes=most) for path in against for p, name in find_files(path)]
        facts = [Fact(fact_text=document.text, attributes={"title": document.title}) for document in documents]
    found = build_qa().check(text, facts=facts, collection=collection, threshold=threshold)
    click.echo(found.model_dump_json(indent=2) if as_json else plain(show.grounding(found)))
    sys.exit(0 if show.all_supported(found) else EXIT_REFUSED)


@main.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@collection_option
@click.option("--prune", is_flag=True, help="Remove documents that came from under PATHS and are no longer there.")
@click.option("--rebuild", is_flag=True, help="Chunk and embed all stored documents again, with today's settings.")
def ingest(paths: tuple[Path, ...], collection: str, prune: bool, rebuild: bool) -> None:
    """Index files and folders. Only what changed is read in again; interrupt and repeat it at will.

    \b
    qa ingest docs/ notes.md
    qa ingest docs/ --prune
    qa ingest --rebuild --collection history
    """
    from index import ingest as lines
    from qa.build import build_embedder
    from qa.settings import load_settings

    if not paths and not rebuild:
        raise click.UsageError("Name the files or folders to index, as in: qa ingest docs/")
    if paths and rebuild:
        raise click.UsageError("--rebuild uses the texts that are stored: run it without PATHS.")
    index, settings = _collection(collection), load_settings()
    embedder = build_embedder(settings)
    with _progress() as on_progress:
        if rebuild:
            report = lines.rebuild(index, embedder, on_progress=on_progress, on_wait=_say_waiting)
        else:
            report = lines.ingest(
                index,
                embedder,
                paths,
                prune=prune,
                max_bytes=int(settings.max_document_mb * 1_000_000),
                on_progress=on_progress,
                on_wait=_say_waiting,
            )
    _print_report(report, collection)


@main.command("list")
@click.option("--collection", default=None, metavar="NAME", help="Only this collection.  [default: all]")
def list_documents(collection: str | None) -> None:
    """List collections and their documents.

    \b
    qa list
    qa list --collection history
    """
    from index.errors import IndexingError
    from index.store import Collections
    from qa.settings import load_settings

    collections = Collections(load_settings().data_dir)
    names = [collection] if collection else collections.names()
    if not names:
        click.echo("Nothing is indexed yet. Run: qa ingest PATH")
    for name in names:
        try:
            with collections.get(name).snapshot() as snapshot:
                stats, documents = snapshot.stats(), snapshot.documents()
        except IndexingError as error:
            if collection:
                raise
            click.secho(plain(f"{name}: {error}. {error.help}"), err=True, fg="red")
            continue
        click.secho(f"{name}: {stats.documents} documents, {stats.chunks} chunks, {stats.embedder}", bold=True)
        for document in documents:
            click.echo(plain(f"  {document.id}  {document.characters:>9,} chars  {document.uri}  ({document.title})"))


@main.command()
@click.argument("documents", nargs=-1, required=True, metavar="DOCUMENT…")
@collection_option
def remove(documents: tuple[str, ...], collection: str) -> None:
    """Delete documents, by id or by name as `qa list` shows them, with all their versions.

    \b
    qa remove doc_0123456789abcdef
    qa remove notes.md --collection history
    """
    from index import ingest as lines
    from index.load import printable
    from index.types import document_id

    index = _collection(collection)
    with index.snapshot() as snapshot:
        known = {document.id for document in snapshot.documents()}
    ids = [name if name in known else document_id(printable(name)) for name in documents]
    _print_report(lines.remove(index, ids, on_wait=_say_waiting), collection)


@main.command()
@click.argument("question")
@collection_option
@top_k_option
@json_option
def search(question: str, collection: str, top_k: int | None, as_json: bool) -> None:
    """Show the passages retrieved for QUESTION, with their rank in each search.

    \b
    qa search "opening hours" --top-k 3
    """
    from pydantic import TypeAdapter

    from qa import show
    from qa.build import build_qa
    from qa.types import PassageResult

    found = build_qa().search(question, collection=collection, top_k=top_k)
    if as_json:
        click.echo(TypeAdapter(list[PassageResult]).dump_json(found, indent=2))
    else:
        click.echo(plain(show.passages(found)))
    sys.exit(0 if found else EXIT_REFUSED)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 picks a free one.")
def serve(host: str, port: int) -> None:
    """Serve the page and the HTTP API until Ctrl-C.

    \b
    qa serve
    qa serve --port 9000
    """
    from qa.serve import serve as run

    run(host, port)


@main.command()
def doctor() -> None:
    """Check this installation in one screen: models, index, and that it answers with the network off.

    Exit code 0: all is well. 1: something is missing, and what to do about it.
    """
    from qa.doctor import examine

    healthy = True
    for line in examine():
        mark, colour = {True: ("ok", "green"), False: ("FAILED", "red"), None: ("--", "yellow")}[line.ok]
        click.echo(click.style(f"{mark:>6}", fg=colour) + plain(f"  {line.what:<12} {line.detail}"))
        healthy = healthy and line.ok is not False
    sys.exit(0 if healthy else EXIT_ERROR)


@main.command()
@collection_option
@mode_option
@top_k_option
@click.option("--explain", is_flag=True, help="Print every stage of each answer.")
def chat(collection: str, mode: Any, top_k: int | None, explain: bool) -> None:
    """Ask one question after another; follow-ups are completed from what was said.

    Nothing is kept: the conversation is gone when you leave, with Ctrl-D or Ctrl-C.

    \b
    qa chat
    qa chat --collection history --mode extractive
    """
    from qa.build import build_qa
    from qa.chat import converse

    service = build_qa()
    with service.collections.get(collection).snapshot(service.embedder.name):
        pass  # a collection that is not there is an error now, not after the first question
    converse(service, collection=collection, mode=mode, top_k=top_k, explain=explain)


@main.command()
@click.option("--collection", default=None, metavar="NAME", help="Only this collection.  [default: all]")
@click.option("--rating", type=click.Choice(["up", "down", "refused"]), default=None, help="Only these.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.option(
    "--export",
    "to",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    metavar="FILE",
    help="Write evaluation cases there, and to FILE's neighbour NAME.open.jsonl those that a person has to judge.",
)
@click.option("--clear", is_flag=True, help="Delete what is kept, after asking.")
def feedback(collection: str | None, rating: Any, as_json: bool, to: Path | None, clear: bool) -> None:
    """List what people thought of answers, and what was refused (where QA_KEEP_REFUSALS is set).

    --export makes question files of it, for scripts/evaluate.py. A thumb up makes a case: with the answer's citations
    as evidence, or as not answerable where it was refused. Nothing is made up about a thumb down or a refusal that
    nobody rated: they go to NAME.open.jsonl with "answerable": null. Fill in what is right and move them over.

    \b
    qa feedback
    qa feedback --rating down --collection history
    qa feedback --export cases.jsonl
    """
    from qa import show
    from qa.feedback import Feedback
    from qa.settings import load_settings

    if clear and (rating or as_json or to):
        raise click.UsageError("--clear goes with --collection only.")
    settings = load_settings()
    store = Feedback(settings.data_dir)
    found = store.all(collection=collection, rating=rating)
    if clear:
        if found and click.confirm(f"Delete {len(found)} ratings and refusals for good?"):
            click.echo(f"{store.clear(collection=collection)} deleted.")
    elif to:
        _export(found, collection or "default", settings.data_dir, to)
    elif as_json:
        for item in found:
            click.echo(json.dumps(asdict(item)))
    else:
        click.echo(plain(show.feedback(found)))


def _export(found: list[Any], collection: str, data_dir: Path, to: Path) -> None:
    from index.store import Collections
    from qa.feedback import cases

    made = cases(found, collection, Collections(data_dir))
    rest = to.with_name(f"{to.stem}.open{to.suffix or '.jsonl'}")
    for path in (to, rest):
        if path.exists():
            raise click.UsageError(f"{path} is there already; name another file.")
    for path, lines in ((to, made.judged), (rest, made.open)):
        if lines or path is to:
            try:
                with path.open("x", encoding="utf-8") as file:
                    file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            except OSError as error:
                raise click.UsageError(f"cannot write {path}: {error.strerror}") from error
    click.echo(f"{len(made.judged)} cases of collection {collection} in {to}.")
    if made.open:
        click.echo(f"{len(made.open)} to judge in {rest}: set answerable, answers and evidence, and move them over.")


main.add_command(evaluate)


def plain(text: str) -> str:
    """Text of documents, models and users as it may go to a terminal: no control sequences, no bidi overrides."""
    return _UNSAFE_ON_A_TERMINAL.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def _collection(name: str) -> Any:
    from index.store import Collections
    from qa.settings import load_settings

    return Collections(load_settings().data_dir).get(name)


@contextmanager
def _progress() -> Iterator[Progress]:
    """A progress bar a step, on stderr, drawn only on a terminal."""
    bars: dict[str, Any] = {}

    def on_progress(step: str, done: int, total: int) -> None:
        if total == 0 or not sys.stderr.isatty():
            return
        if step not in bars:
            for bar in bars.values():
                bar.render_finish()
            bars[step] = click.progressbar(length=total, label=f"{step:>6}", file=sys.stderr, show_pos=True)
            bars[step].render_progress()
        bars[step].update(done - bars[step].pos)

    try:
        yield on_progress
    except KeyboardInterrupt:
        click.echo("\nInterrupted. Nothing was lost: run the same command again to go on.", err=True)
        sys.exit(EXIT_INTERRUPTED)
    finally:
        for bar in bars.values():
            bar.render_finish()


def _say_waiting() -> None:
    click.echo("Another ingest is writing to this collection; waiting for it to finish…", err=True)


def _print_report(report: IngestReport, collection: str) -> None:
    listed: list[tuple[str, list[str]]] = [
        ("added", report.added),
        ("updated", report.updated),
        ("removed", report.removed),
    ]
    for word, uris in listed:
        for uri in uris[:20]:
            click.echo(plain(f"{word:>8}  {uri}"))
        if len(uris) > 20:
            click.echo(f"{word:>8}  … and {len(uris) - 20} more")
    for error in report.failed:
        click.secho(plain(f"  failed  {error} {error.help}"), err=True, fg="red")
    click.echo(
        f"Collection {collection}, generation {report.generation}: {len(report.added)} added, "
        f"{len(report.updated)} updated, {len(report.unchanged)} unchanged, {len(report.removed)} removed, "
        f"{len(report.failed)} failed; {report.embedded} chunks embedded."
    )
    if report.failed:
        sys.exit(EXIT_ERROR)


if __name__ == "__main__":
    main()
