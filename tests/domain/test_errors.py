"""Errors have a code and parameters for pages, and a sentence for clients of the API."""

from __future__ import annotations

import pytest

from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError


def test_an_error_of_a_kind_has_its_name_as_code() -> None:
    error = VisavisError(ErrorKind.EntityNotFound, "There is no site 7.")
    assert (error.code, error.parameters, error.pointer) == ("EntityNotFound", {}, None)


def test_an_error_of_a_code_has_its_kind_sentence_and_field() -> None:
    error = VisavisError(ErrorCode.PasswordTooShort, least=10)
    assert (error.kind, error.code) == (ErrorKind.ParameterInvalid, "PasswordTooShort")
    assert error.message == "Choose a password of at least 10 characters."
    assert (error.pointer, error.parameters) == ("/newPassword", {"least": 10})


def test_the_pointer_may_name_a_parameter() -> None:
    assert VisavisError(ErrorCode.FieldMissing, field="secret").pointer == "/secret"


def test_an_error_without_a_code_of_its_own_has_the_name_of_its_kind() -> None:
    assert VisavisError(ErrorKind.CallNotPossible).code == "CallNotPossible"
    assert VisavisError(ErrorKind.CallNotPossible, "why").code == "CallNotPossible"


@pytest.mark.parametrize(("seconds", "words"), [(1, "1 second"), (2, "2 seconds"), (11, "11 s")])
def test_seconds_agree_in_number(seconds: int, words: str) -> None:
    error = VisavisError(ErrorCode.CallPause, seconds=seconds)
    assert error.message.startswith(f"Wait {words}")


def test_no_code_has_the_name_of_a_kind() -> None:
    assert not {code.name for code in ErrorCode} & {kind.name for kind in ErrorKind}
