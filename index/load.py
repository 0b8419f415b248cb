"""From files to documents. The text made here is the text that is indexed, shown and cited, to the code point.

Plain text is kept as it is; Markdown and HTML are parsed and become readable plain text, so that no citation shows
markup. What cannot be turned into text raises a `LoadError` that says what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from index.decode import CONTROL, declared_encoding, decode
from index.errors import DocumentTooLarge, EmptyDocument, LoadError, UnsupportedFormat
from index.markup import Parsed, one_line, read_html, read_markdown
from index.types import Document

_NO_TEXT = re.compile(rf"[{CONTROL}\ud800-\udfff]")
_TEXT = frozenset({".txt", ".text"})
_MARKDOWN = frozenset({".md", ".markdown"})
_HTML = frozenset({".html", ".htm", ".xhtml"})

SUPPORTED = _TEXT | _MARKDOWN | _HTML
"""The suffixes of the files that can be loaded, in lower case."""

_SUFFIXES = ", ".join(sorted(SUPPORTED))


def find_files(path: Path, unreadable: dict[Path, LoadError] | None = None) -> Iterator[tuple[Path, str]]:
    """The files to load at `path`, each with its name: a file gives itself, a folder what lies in it at any depth.

    In a folder the name is the path below it, with `/`, in sorted order. Hidden files and folders, other formats and
    links to folders (which may form a loop) are left out. What cannot be read below a folder goes into `unreadable`,
    with the reason; without one it ends the walk.
    """
    try:
        if path.is_dir():
            return _walk(path, unreadable)
        if path.exists():
            _check_supported(path)
            return iter([(path, printable(path.name))])
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise _unreadable(path, error) from error
    raise LoadError(f"There is nothing at {path}.", help="Check the path: it names no file and no folder.")


def load_file(path: Path, *, uri: str, source_url: str | None = None, max_bytes: int) -> Document:
    """The document in one file, read by the rules for its suffix."""
    _check_supported(path)
    data = _read(path, max_bytes)
    suffix = path.suffix.lower()
    title: str | None = None
    if suffix in _HTML:
        title, text, canonical = _parsed(read_html, decode(data, path.name, declared_encoding(data)), path)
        source_url = source_url or canonical
    elif suffix in _MARKDOWN:
        title, text, _ = _parsed(read_markdown, decode(data, path.name), path)
    else:
        text = decode(data, path.name)
    if suffix not in _HTML:
        title = title or _first_line(text)
    if not text.strip("\ufeff\u200b \t\r\n") or text.isspace():
        raise EmptyDocument(f"There is no text in {path.name}.", help="Leave the file out, or put text into it.")
    title = title or _readable_name(path)
    return Document(uri=uri, title=title, text=text, source=source_of(path), source_url=source_url)


def source_of(path: Path) -> str:
    """The name by which a stored document remembers its file: the same whatever links and relative paths led there."""
    return printable(str(path.resolve()))


def printable(name: str) -> str:
    """A file name that is not valid in the file system's encoding holds surrogates, which no hash or database takes."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _parsed(read: Callable[[str], Parsed], text: str, path: Path) -> Parsed:
    """Run a parser on what anybody may have written: whatever goes wrong in it is a fault of the file."""
    try:
        title, plain, address = read(text)
    except ImportError:  # a fault of the installation
        raise
    except Exception as error:  # a RecursionError, an assertion in a library
        raise LoadError(
            f"{path.name} cannot be parsed: {type(error).__name__}.",
            help="The file is damaged or nested too deeply. Save it as plain text (.txt) and load that.",
        ) from error
    # A character reference such as &#1; or &#xD800; can stand for what is no text and what no database takes.
    return title and one_line(_NO_TEXT.sub("\ufffd", title)), _NO_TEXT.sub("\ufffd", plain), address


# --- files ----------------------------------------------------------------------------------------------------------


def _walk(root: Path, unreadable: dict[Path, LoadError] | None) -> Iterator[tuple[Path, str]]:
    # A stack, not recursion: a path may have more levels than Python has frames.
    waiting = [root]
    while waiting:
        path = waiting.pop()
        try:
            if path == root or (path.is_dir() and not path.is_symlink()):
                waiting.extend(sorted((p for p in path.iterdir() if not p.name.startswith(".")), reverse=True))
                continue
            wanted = path.is_file() and path.suffix.lower() in SUPPORTED
        except OSError as error:
            if path == root or unreadable is None:
                raise _unreadable(path, error) from error
            unreadable[path] = _unreadable(path, error)
            continue
        if wanted:
            yield path, printable(path.relative_to(root).as_posix())


def _check_supported(path: Path) -> None:
    if path.suffix.lower() not in SUPPORTED:
        kind = f"files ending in {path.suffix}" if path.suffix else "files without a suffix"
        raise UnsupportedFormat(
            f"{path.name} cannot be loaded: there is no loader for {kind}.", help=f"These work: {_SUFFIXES}."
        )


def _read(path: Path, max_bytes: int) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise LoadError(f"{path.name} is not a regular file.", help="Name a file, or the folder that holds it.")
        size = path.stat().st_size
        if size <= max_bytes:
            with path.open("rb") as file:
                data = file.read(max_bytes + 1)  # it may have grown since
            size = max(size, len(data))
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if size > max_bytes:
        raise DocumentTooLarge(
            f"{path.name} has {size:,} bytes; the limit is {max_bytes:,}.",
            help="Split the file, or raise the limit on the size of a document.",
        )
    return data


def _unreadable(path: Path, error: Exception) -> LoadError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return LoadError(
        f"{printable(str(path))} cannot be read: {reason}.", help="Check that it exists and that you may read it."
    )


# --- titles ---------------------------------------------------------------------------------------------------------


def _first_line(text: str) -> str | None:
    """The first line with a word in it, if it looks like a title and not like the first sentence."""
    for line in (line.strip().lstrip("#-*•>=_ \t") for line in text[:10_000].splitlines()):
        if any(character.isalnum() for character in line):
            sentence = line.rstrip("\"'”’»)]").endswith((".", "!", ",", ";", ":", "…", "。", "！", "؟", "।"))
            return None if sentence or len(line) > 100 else one_line(line)
    return None


def _readable_name(path: Path) -> str:
    """ "nvidia-south-korea.txt" gives "Nvidia south korea"."""
    words = re.sub(r"[-_\s]+", " ", path.stem).strip()
    return printable(words[:1].upper() + words[1:]) or printable(path.name)
