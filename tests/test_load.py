import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.errors import DocumentTooLarge, EmptyDocument, LoadError, NotText, UnsupportedFormat
from index.load import SUPPORTED, find_files, load_file
from index.types import Document

LIMIT = 1_000_000


def load(path: Path, content: bytes | str) -> Document:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_file(path, uri=path.name, max_bytes=LIMIT)


def outcome(path: Path, content: bytes | str) -> Document | LoadError:
    """What loading gives when any fault of the file is fine, and nothing else is."""
    try:
        return load(path, content)
    except LoadError as error:
        assert_helpful(error)
        return error


def assert_helpful(error: LoadError) -> None:
    assert str(error)
    assert error.help


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For Hypothesis, which wants no fixture that is renewed for each test."""
    return tmp_path_factory.mktemp("load")


# --- finding --------------------------------------------------------------------------------------------------------


def test_a_folder_gives_its_files_in_sorted_order(tmp_path: Path) -> None:
    for name in [
        "b/2.md",
        "b/1.TXT",
        "a.html",
        "b.txt",
        "c.pdf",
        ".hidden.txt",
        ".git/x.txt",
        "b/.x/y.txt",
        "z/z/z.text",
    ]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "b" / "loop").symlink_to(tmp_path)
    (tmp_path / "broken.txt").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.txt")
    found = list(find_files(tmp_path))
    assert [name for _, name in found] == ["a.html", "b/1.TXT", "b/2.md", "b.txt", "z/z/z.text"]
    assert all(path == tmp_path / name for path, name in found)


def test_a_file_gives_itself_even_when_hidden(tmp_path: Path) -> None:
    path = tmp_path / ".notes.txt"
    path.write_text("x")
    assert list(find_files(path)) == [(path, ".notes.txt")]


def test_a_hidden_folder_can_be_named(tmp_path: Path) -> None:
    (tmp_path / ".docs").mkdir()
    (tmp_path / ".docs" / "a.txt").write_text("x")
    assert [name for _, name in find_files(tmp_path / ".docs")] == ["a.txt"]


def test_a_name_that_is_no_text_still_makes_a_uri(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9.txt"
    try:
        Path(os.fsdecode(raw)).write_text("Some text.")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    [(path, name)] = find_files(tmp_path)
    document = load_file(path, uri=name, max_bytes=LIMIT)
    assert document.id.startswith("doc_")
    assert f"{document.title}{document.source}".encode()


def test_what_is_not_there_and_what_is_not_supported(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="nothing at") as missing:
        find_files(tmp_path / "nowhere")
    assert missing.value.help
    with pytest.raises(LoadError):
        find_files(Path("nul\0.txt"))
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    with pytest.raises(UnsupportedFormat, match=r"\.pdf") as unsupported:
        find_files(tmp_path / "a.pdf")
    assert all(suffix in unsupported.value.help for suffix in SUPPORTED)
    with pytest.raises(UnsupportedFormat):
        load_file(tmp_path / "a.pdf", uri="a.pdf", max_bytes=LIMIT)


# --- plain text -----------------------------------------------------------------------------------------------------

TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\r\n\t \U0001f469\u200d\u0301א。"), min_size=1
)


@given(TEXTS)
def test_text_is_kept_to_the_code_point(folder: Path, text: str) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        if encoding == "utf-8" and text.startswith("\ufeff"):
            continue  # that is what a byte order mark looks like
        try:
            document = load(folder / "a.txt", text.encode(encoding))
        except EmptyDocument:
            assert not text.strip("\ufeff\u200b \t\r\n") or text.isspace()
        else:
            assert document.text == text


def test_line_breaks_tabs_and_trailing_blanks_stay(tmp_path: Path) -> None:
    text = "One.\r\n\tTwo. \t \rThree.\n\n \x0cFour.\u2028Five.  "
    assert load(tmp_path / "a.txt", text).text == text


def test_source_is_the_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("Text.")
    monkeypatch.chdir(tmp_path)
    document = load_file(Path("a.txt"), uri="u", source_url="https://example.org/a", max_bytes=LIMIT)
    assert document.source == str((tmp_path / "a.txt").resolve())
    assert (document.uri, document.source_url) == ("u", "https://example.org/a")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Café"),
        ("cp1252", "It costs £5 – “cheap”, he said."),
        ("cp1252", "Le père a dit à sa mère: où est l'élève? Là-bas, près de la forêt. Ça va être très gênant."),
        ("cp1250", "Zażółć gęślą jaźń. Minister przyjechał w niedzielę do Łodzi i jutro wyjedzie."),
        ("cp1251", "Министр прибыл в Москву в воскресенье. Завтра он встретится с президентом."),
        ("shift_jis", "会議は月曜日に始まります。場所は東京です。"),
        ("gb18030", "英伟达将向韩国供应超过26万块芯片。这些芯片将用于工厂。"),
        ("euc_kr", "회의는 월요일에 시작합니다. 장소는 서울입니다."),
        ("utf-16", "Text with a mark."),
        ("utf-32", "Text with a mark."),
    ],
)
def test_old_encodings_are_told(tmp_path: Path, encoding: str, text: str) -> None:
    assert load(tmp_path / "a.txt", text.encode(encoding)).text == text


@pytest.mark.parametrize(
    "content",
    [
        b"\x7fELF\x02\x01\x01\x00\x00\x00",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"text\x00with NUL",
        "UTF-16 without a mark".encode("utf-16-le"),
        b"\xff\xfeodd",
        bytes(range(1, 32)) * 4,
        bytes(range(128, 256)),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    for name in ("a.txt", "a.md", "a.html"):
        with pytest.raises(NotText) as refused:
            load(tmp_path / name, content)
        assert "UTF-8" in refused.value.help


@pytest.mark.parametrize("content", ["", " \n\t\r\n", "\ufeff", "\u3000\n"])
def test_nothing_is_refused(tmp_path: Path, content: str) -> None:
    for name in ("a.txt", "a.md", "a.html"):
        with pytest.raises(EmptyDocument):
            load(tmp_path / name, content)


def test_the_limit_counts_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("é" * 50, encoding="utf-8")
    assert load_file(path, uri="a", max_bytes=100).text == "é" * 50
    with pytest.raises(DocumentTooLarge, match="100 bytes; the limit is 99"):
        load_file(path, uri="a", max_bytes=99)


def test_what_cannot_be_read_is_a_load_error(tmp_path: Path) -> None:
    (tmp_path / "folder.txt").mkdir()
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")
    for path in [
        tmp_path / "folder.txt",
        tmp_path / "pipe.txt",
        tmp_path / "loop.txt",
        tmp_path / "no.txt",
        Path("\0.txt"),
    ]:
        with pytest.raises(LoadError) as refused:
            load_file(path, uri="a", max_bytes=LIMIT)
        assert refused.value.help


def test_a_forbidden_file_is_a_load_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_text("x")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # root may read everything, so the mode of the file would not do
    with pytest.raises(LoadError, match="Permission denied"):
        load_file(path, uri="a", max_bytes=LIMIT)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=400), st.sampled_from(sorted(SUPPORTED)))
def test_any_bytes_give_a_document_or_a_load_error(folder: Path, content: bytes, suffix: str) -> None:
    document = outcome(folder / f"a{suffix}", content)
    if isinstance(document, Document):
        assert document.text.strip()
        assert document.title.strip()
        assert document.version


HTML_PIECES = (
    "<p> </p> <ul><li> </ul> <table><tr><td> </table> <pre> <!-- --> <script> </script> &#0; &#xD800; &amp; <b <br>"
)
MARKDOWN_PIECES = (
    "# |- |1. |> |\n| a | b |\n|---|---|\n|```|[a](b)|![|*|_|`|---\n|title: x\n|    |\t|word |\n\n|é|👩‍👧|שלום"
)
MARKUP = st.lists(st.sampled_from([*HTML_PIECES.split(), *MARKDOWN_PIECES.split("|")]), max_size=30).map("".join)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(MARKUP, st.sampled_from([".md", ".html"]))
def test_any_markup_gives_a_document_or_a_load_error(folder: Path, content: str, suffix: str) -> None:
    document = outcome(folder / f"a{suffix}", content)
    if isinstance(document, Document):
        assert not re.search("[\x00-\x08\x0e-\x1f\ud800-\udfff]", document.text + document.title)


# --- titles ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "title"),
    [
        ("nvidia-south-korea.txt", "US chip giant Nvidia will supply chips. More.", "Nvidia south korea"),
        ("a.txt", "\n\n  Annual  Report \n\nThe year was good.", "Annual Report"),
        ("a.txt", "=====\nAnnual Report\n=====\nText.", "Annual Report"),
        ("a.txt", "What is new?\nNothing.", "What is new?"),
        ("long_name__of-it.txt", "x" * 101, "Long name of it"),
        ("said.txt", "“It is over.”\nHe left.", "Said"),
        ("---.txt", "It is so.", "---.txt"),
        ("会議.txt", "会議は月曜日に始まります。", "会議"),
    ],
)
def test_titles(tmp_path: Path, name: str, text: str, title: str) -> None:
    assert load(tmp_path / name, text).title == title


# --- Markdown -------------------------------------------------------------------------------------------------------

MARKDOWN = """\
---
layout: page
title: "The: title"
---
# A *first* heading

Some **bold**, `code`, [a link](https://example.org) and ![a picture](p.png) with a
soft break. &amp; <b>tags</b> <!-- unseen -->gone.<br>Next line.

- one
- two
  goes on

  with a paragraph

  3. three
  4. four

> quoted

| A | B |
|---|---|
| 1 | **2** |
| 3 | 4 |

```python
def f():
    return 1
```

<!-- a comment -->
<div><p>In a <i>div</i></p><script>bad()</script></div>
"""


def test_markdown_becomes_plain_text(tmp_path: Path) -> None:
    document = load(tmp_path / "a.md", MARKDOWN)
    assert document.title == "The: title"
    assert document.text == (
        "A first heading\n\n"
        "Some bold, code, a link and a picture with a soft break. & tags gone.\nNext line.\n\n"
        "- one\n- two goes on\n\nwith a paragraph\n  3. three\n  4. four\n\n"
        "quoted\n\n"
        "A | B\n1 | 2\n3 | 4\n\n"
        "def f():\n    return 1\n\n"
        "In a div"
    )


def test_markdown_titles(tmp_path: Path) -> None:
    assert load(tmp_path / "a.md", "Text.\n\n## The `first` heading\n\n# Another").title == "The first heading"
    assert load(tmp_path / "some-notes.md", "Only text here.").title == "Some notes"
    rule = load(tmp_path / "a.md", "---\n\nNo front matter.\n\n---\n\nMore.")
    assert rule.text == "No front matter.\n\nMore."


def test_superscripts_in_markdown_are_not_glued_to_the_word_before(tmp_path: Path) -> None:
    source = "10<sup>11</sup> *stars*, 260,000<sup>**1**</sup> chips[^<sup>[1](#n)</sup>]; 1<sup>st</sup> <sup>open 2"
    document = load(tmp_path / "a.md", f"{source}\n\n| 5<sup>2</sup> | b |\n|--|--|\n\n<p>9<sup>3</sup> more</p>")
    assert document.text == "10¹¹ stars, 260,000¹ chips[^]; 1st open 2\n\n5² | b\n\n9³ more"


@pytest.mark.parametrize("base", ["[", "![", "> ", "- ", "*a_", "`", "<a ", "<!-- ", "<div>", "  - x\n"])
def test_pathological_markdown_ends(tmp_path: Path, base: str) -> None:
    outcome(tmp_path / "a.md", base * (10_000 // len(base)))


# --- HTML -----------------------------------------------------------------------------------------------------------

PAGE = """\
<!doctype html><html><head><title>The title</title><link rel="canonical" href="https://example.org/page">
<style>p { color: red }</style></head><body>
<nav><a href="/">Home</a></nav>
<article><h1>The title</h1>
<p>The first paragraph has <b>bold</b> words and <a href="/x">a link</a>, and it
is wrapped in the source. It is long enough to be taken for the main text of a page by anyone.</p>
<h2>A section</h2><ul><li>one</li><li>two<ul><li>inner</li></ul></li></ul><ol><li>first</li><li>second</li></ol>
<table><tr><th>Name</th><th>Age</th></tr><tr><td>Anna</td><td>42</td></tr></table>
<p>Line one<br>line two</p>
<p hidden>SECRET one</p><p style="display: none">SECRET two</p><template>SECRET three</template>
<script>var secret = "SECRET four";</script><!-- SECRET five --></article>
<div class="comments"><p>SECRET six, a comment by a reader.</p></div></body></html>
"""


def test_html_becomes_plain_text(tmp_path: Path) -> None:
    document = load(tmp_path / "a.html", PAGE)
    assert (document.title, document.source_url) == ("The title", "https://example.org/page")
    assert document.text == (
        "The title\n\n"
        "The first paragraph has bold words and a link, and it is wrapped in the source. "
        "It is long enough to be taken for the main text of a page by anyone.\n\n"
        "A section\n\n- one\n- two\n  - inner\n\n1. first\n2. second\n\n"
        "Name | Age\nAnna | 42\n\n"
        "Line one\nline two"
    )


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("10<sup>11</sup> stars", "10¹¹ stars"),
        ("260,000<sup>1</sup>, 10<sup>&minus;9</sup>", "260,000¹, 10⁻⁹"),
        ("x<sup>n+<i>(1-n)</i></sup> is", "xⁿ⁺⁽¹⁻ⁿ⁾ is"),
        ("the 1<sup>st</sup> and 2<sup>nd</sup> time", "the 1st and 2nd time"),
        (
            "chips<sup><a href='#n1'>[1]</a></sup> for<sup>[<a href='#n2'>2</a>, <a href='#n3'>3</a>]</sup> all",
            "chips for all",
        ),
        ("see<sup><a href='/x'>1</a></sup> it", "see¹ it"),
    ],
)
def test_superscripts_are_not_glued_to_the_word_before(tmp_path: Path, html: str, text: str) -> None:
    for body in (f"<p>{html}</p>", PAGE.replace("Line one", html)):
        assert text in load(tmp_path / "a.html", f"<html><body>{body}</body></html>").text.splitlines()


def test_a_short_page_keeps_its_blocks(tmp_path: Path) -> None:
    page = "<html><body><h1>Prices</h1><pre>a\n  b</pre><table><tr><th>A<th>B<tr><td>1<td>2</table></body></html>"
    assert load(tmp_path / "a.html", page).text == "Prices\n\na\n  b\n\nA | B\n1 | 2"


def test_preformatted_text_keeps_its_lines(tmp_path: Path) -> None:
    for pre in ("<pre>a\n  b</pre>", "<pre><code>a\n  b</code></pre>", "<pre>a\n  <b>b</b></pre>"):
        page = PAGE.replace("<h2>", f"{pre}<h2>")
        assert "\n\na\n  b\n\nA section" in load(tmp_path / "a.html", page).text


def test_scripts_are_no_text_even_where_pages_keep_text_in_them(tmp_path: Path) -> None:
    data = '{"@type": "Article", "articleBody": "' + "SECRET text in a script. " * 20 + '"}'
    page = f"<html><body><script type='application/ld+json'>{data}</script><p>Shown.</p></body></html>"
    assert load(tmp_path / "a.html", page).text == "Shown."


def test_the_address_given_wins_and_a_dubious_one_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(PAGE)
    assert (
        load_file(path, uri="a", source_url="https://example.com/", max_bytes=LIMIT).source_url
        == "https://example.com/"
    )
    for address in ("javascript:alert(1)", "/page", "file:///etc/passwd", "http://"):
        document = load(
            path, f"<html><head><link rel=canonical href='{address}'></head><body><p>Text.</p></body></html>"
        )
        assert document.source_url is None


@pytest.mark.parametrize(
    ("encoding", "declaration", "text"),
    [
        ("cp1252", "<meta charset=iso-8859-1>", "Le café est “fermé”."),
        ("cp1251", "<meta charset='windows-1251'>", "Министр прибыл в Москву."),
        ("shift_jis", "<meta http-equiv='Content-Type' content='text/html; charset=Shift_JIS'>", "会議です。"),
        ("iso2022_jp", "<meta charset=iso-2022-jp>", "会議です。"),
        ("utf-8", "<meta charset=iso-8859-1>", "Le café, saved again as UTF-8."),
        ("utf-8", "<meta charset=utf-7>", "a +ADw-b+AD4- c"),
        ("utf-8", "<meta charset=rot13>", "as it is"),
        ("utf-16", "<meta charset=iso-8859-1>", "The mark wins: é."),
    ],
)
def test_the_declared_encoding_is_honoured(tmp_path: Path, encoding: str, declaration: str, text: str) -> None:
    page = f"<html><head>{declaration}<title>T</title></head><body><p>{text}</p></body></html>"
    assert load(tmp_path / "a.html", page.encode(encoding)).text == text


def test_xhtml_with_an_xml_declaration(tmp_path: Path) -> None:
    page = (
        '<?xml version="1.0" encoding="windows-1251"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>Т</title>'
    )
    page += "</head><body><p>Министр прибыл в Москву.</p></body></html>"
    assert load(tmp_path / "a.xhtml", page.encode("cp1251")).text == "Министр прибыл в Москву."


def test_pages_without_a_main_text(tmp_path: Path) -> None:
    assert load(tmp_path / "a.html", "<p>Only a fragment.</p>").text == "Only a fragment."
    assert load(tmp_path / "a.html", "No tags at all").text == "No tags at all"
    with pytest.raises(EmptyDocument):
        load(tmp_path / "a.html", "<html><body><script>only()</script><p hidden>SECRET</p></body></html>")


@pytest.mark.parametrize(
    "base", ["<div>", "<b>", "<p>", "<table><tr><td>x", "<ul><li>x", "<", "<!--", "&#", "<a b=", "x<br>"]
)
def test_pathological_html_ends(tmp_path: Path, base: str) -> None:
    outcome(tmp_path / "a.html", f"<html><body>{base * (20_000 // len(base))} end</body></html>")
