"""A short share of `make fuzz`, another one for each target."""

from __future__ import annotations

import pytest

from tests.fuzz.mutation import mutants
from tests.fuzz.targets import TARGETS, Target

SHARE = 4_000


@pytest.mark.many
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_no_exception_escapes(target: Target) -> None:
    run = target.make()
    for data in target.corpus:
        run(data)
    for data in mutants(2, target.corpus, SHARE):
        run(data)


def test_the_same_seed_makes_the_same_inputs() -> None:
    corpus = TARGETS[0].corpus
    assert list(mutants(1, corpus, 50)) == list(mutants(1, corpus, 50))
    assert list(mutants(1, corpus, 50)) != list(mutants(2, corpus, 50))
