"""The pages' types are made of the protocol's structs."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from visavis.protocol import signaling
from visavis.protocol.typescript import files, main

GENERATED = Path(__file__).resolve().parents[2] / "web" / "src" / "generated"


@pytest.mark.parametrize("name", sorted(files()))
def test_the_committed_types_are_current(name: str) -> None:
    assert (GENERATED / name).read_text() == files()[name], "run `make generated` and commit it"


def test_no_other_file_is_there() -> None:
    assert {path.name for path in GENERATED.iterdir()} == files().keys()


def test_every_message_has_a_type() -> None:
    text = files()["signaling.ts"]
    for kind in get_args(signaling.FromVisitor | signaling.ToVisitor | signaling.ToAgent):
        assert f'export type {kind.__name__} = {{\n  type: "{kind.__struct_config__.tag}";' in text


def test_a_page_may_leave_out_what_has_a_default_and_reads_what_is_always_there() -> None:
    text = files()["signaling.ts"]
    assert 'type: "say";\n  callId: string;\n  text: string;\n  id?: string;' in text
    assert "id: string;" in text.partition("export type Said = ")[2].partition("};")[0]


def test_the_program_prints_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["typescript", "errors.ts"])
    main()
    assert capsys.readouterr().out == files()["errors.ts"]
