"""The pages' catalogue has a sentence for every error."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from visavis.domain.errors import ErrorCode, ErrorKind

I18N = Path(__file__).resolve().parents[2] / "web" / "src" / "shared" / "i18n"
PARAMETER = re.compile(r"\{(\w+)\}")
PARAMETERS = {code.name: set(PARAMETER.findall(code.sentence)) for code in ErrorCode}


def sentences(name: str) -> dict[str, str]:
    return dict(re.findall(r'^  (\w+):\s+"([^"]+)",$', (I18N / name).read_text(), re.MULTILINE))


VISITORS = sentences("en-visitor-errors.ts")
PAGES = {**VISITORS, **sentences("en-errors.ts")}


def test_every_error_has_a_sentence_and_no_other() -> None:
    assert PAGES.keys() == {kind.name for kind in ErrorKind} | {code.name for code in ErrorCode}


@pytest.mark.parametrize("catalogue", [VISITORS, PAGES])
def test_a_sentence_uses_parameters_that_the_error_has(catalogue: dict[str, str]) -> None:
    for name, sentence in catalogue.items():
        assert set(PARAMETER.findall(sentence)) <= PARAMETERS.get(name, set()), name
