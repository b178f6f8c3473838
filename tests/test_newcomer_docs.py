"""The documents for newcomers name files, commands and identifiers that exist."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[1]
DOCUMENTS: Final = (
    "CONTRIBUTING.md",
    "docs/development.md",
    "docs/flows.md",
    "docs/recipes.md",
    "examples/README.md",
)
ALL_DOCUMENTS: Final = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("*.md", "docs/*.md", "examples/*.md")
    for path in ROOT.glob(pattern)
)
ARCHITECTURE: Final = (ROOT / "docs/architecture.md").read_text()

QUOTED: Final = re.compile(r"`([^`\s]+)`")
SUFFIX: Final = re.compile(r"\.(py|ts|js|json|md|toml|html|in|txt)$")
IN_TREE: Final = re.compile(r"(?<![\w/.])(?:src|tests|docs|web|examples|requirements)/[\w./-]*\w")
HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
LINK: Final = re.compile(r"\]\(([^)#:]*)(?:#([\w-]*))?\)")
IDENTIFIER: Final = re.compile(r"[A-Za-z_]\w{3,}")
IGNORED: Final = frozenset({"test", "note"})


def text_of(document: str) -> str:
    return (ROOT / document).read_text()


def code_of(document: str) -> str:
    """Return the text that a document quotes, indents or fences."""
    text = text_of(document)
    fenced = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    indented = [line for line in text.splitlines() if line.startswith("    ")]
    return "\n".join([*fenced, *indented, *re.findall(r"`([^`\n]+)`", text)])


@cache
def words_of_the_code() -> frozenset[str]:
    files = [
        path
        for base, pattern in (("src/visavis", "*.py"), ("web/src", "*.ts"), ("tests", "*.py"))
        for path in (ROOT / base).rglob(pattern)
        if path != Path(__file__)
    ]
    files.append(ROOT / "pyproject.toml")
    return frozenset(word for path in files for word in IDENTIFIER.findall(path.read_text()))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_exists(document: str) -> None:
    text = text_of(document)
    quoted = {
        word
        for word in QUOTED.findall(text)
        if word[0] not in "/." and "://" not in word and ("/" in word or SUFFIX.search(word))
    }
    folder = (ROOT / document).parent
    named = quoted | set(IN_TREE.findall(text))
    assert named
    assert not {path for path in named if not ((ROOT / path).exists() or (folder / path).exists())}


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub forms them."""
    headings = HEADING.findall(path.read_text())
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize("document", ALL_DOCUMENTS)
def test_every_link_leads_to_a_file_and_to_a_heading_in_it(document: str) -> None:
    path = ROOT / document
    for name, anchor in LINK.findall(text_of(document)):
        target = path.parent / name if name else path
        assert target.exists(), name
        assert not anchor or anchor in anchors(target), f"{name}#{anchor}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_exists(document: str) -> None:
    makefile = text_of("Makefile").replace("$(VENV)", ".venv")
    targets = set(re.findall(r"^([\w./-]+):", makefile, re.MULTILINE))
    commands = re.findall(r"\bmake ((?:[\w./-]+ ?)+)", code_of(document))
    assert {target for command in commands for target in command.split()} <= targets


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_identifier_is_in_the_code(document: str) -> None:
    named = {word for word in QUOTED.findall(text_of(document)) if IDENTIFIER.fullmatch(word)}
    assert named - IGNORED <= words_of_the_code()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_selection_of_tests_selects_one(document: str) -> None:
    for path, word in re.findall(r"pytest (tests/\S+\.py) -k (\w+)", code_of(document)):
        assert re.search(rf"def test_\w*{word}", (ROOT / path).read_text())


def test_the_picture_of_layers_is_the_contract() -> None:
    contracts = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if "layers" in contract)
    picture = ARCHITECTURE.partition("## Packages")[2].split("```")[1]
    assert picture.strip().splitlines() == layers


def test_the_tables_name_every_package_and_module() -> None:
    tables = ARCHITECTURE.partition("## Packages")[2].partition("## Rules")[0]
    first_cells = " ".join(line.split("|")[1] for line in tables.splitlines() if "| `" in line)
    source = ROOT / "src/visavis"
    packages = {f"{path.parent.name}/" for path in source.glob("*/__init__.py")}
    modules = {path.name for path in source.glob("*.py") if not path.name.startswith("__")}
    assert set(QUOTED.findall(first_cells)) == packages | modules
