"""Rules for passwords that people choose (NIST SP 800-63B §3.1.1.2): long, not common."""

from __future__ import annotations

from typing import Final

from visavis.domain.errors import ErrorCode, VisavisError

MIN_LENGTH: Final = 10
MAX_LENGTH: Final = 1024
MIN_DISTINCT: Final = 5

_COMMON: Final = (
    "0123456789 0987654321 1234567890 12345678910 1q2w3e4r5t 1qaz2wsx3edc 9876543210 "
    "abcdefghij adminadmin administrator basketball bismillah changeme123 chocolate1 "
    "computer123 correcthorse helloworld iloveyou12 iloveyou123 iloveyouso letmein123 "
    "liverpool1 manchester michelle12 monkey1234 motorola12 mypassword p@ssw0rd123 "
    "pa55word123 passw0rd123 passw0rd1234 password01 password10 password11 password12 "
    "password123 password1234 password12345 password123456 passwordpassword princess12 "
    "qazwsxedcrfv qwerty1234 qwerty12345 qwerty123456 qwertyqwerty qwertyuiop "
    "qwertyuiop123 secret1234 secretsecret starwars12 sunshine12 superman12 temporary1 "
    "trustno1trustno1 welcome123 welcome1234 welcome2024 welcome2025 welcome2026 "
    "whatever12 visavis123 visavisvisavis zaq12wsxcde3 zxcvbnm123 zxcvbnmasdf "
)
COMMON: Final = frozenset(_COMMON.split())


def check_password(password: str, email: str) -> None:
    """Raise `ParameterInvalid` if a password breaks a rule; the sentence says what to change."""
    plain = password.casefold()
    if len(password) < MIN_LENGTH:
        raise VisavisError(ErrorCode.PasswordTooShort, least=MIN_LENGTH)
    if len(password) > MAX_LENGTH:
        raise VisavisError(ErrorCode.PasswordTooLong, most=MAX_LENGTH)
    if plain in COMMON or len(set(plain)) < MIN_DISTINCT:
        raise VisavisError(ErrorCode.PasswordCommon)
    if plain == email.casefold():
        raise VisavisError(ErrorCode.PasswordIsEmail)
