from __future__ import annotations

import pytest

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.services.password_rules import COMMON, MIN_LENGTH, check_password


@pytest.mark.parametrize(
    "password", ["too short", "x" * 1025, "Password123", "abababababab", "someone@example.com"]
)
def test_a_password_is_long_and_not_common(password: str) -> None:
    with pytest.raises(VisavisError) as told:
        check_password(password, "someone@example.com")
    assert told.value.kind is ErrorKind.ParameterInvalid


def test_a_good_password_is_taken() -> None:
    check_password("a right good password", "someone@example.com")


def test_every_common_password_that_is_listed_would_be_long_enough() -> None:
    """Shorter ones are refused for their length, so they need no place in the list."""
    assert min(map(len, COMMON)) >= MIN_LENGTH - 2
