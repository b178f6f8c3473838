"""TypeScript types of the protocol, for the pages: `python -m visavis.protocol.typescript NAME`.

It prints one file of `web/src/generated/`. A field is optional if the pages may omit it from a
request, or the server from a response.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args

from msgspec import NODEFAULT, inspect

from visavis.domain.errors import ErrorCode, ErrorKind
from visavis.domain.vocabulary import Media, Party
from visavis.protocol import signaling
from visavis.protocol.audit import AuditLogPage
from visavis.protocol.calls import AudioVideoChatPage
from visavis.protocol.configuration import ConfigChange, ConfigEvent
from visavis.protocol.library import (
    LibraryComposition,
    LibraryDetails,
    LibraryEntry,
    LibraryPage,
    LibraryParts,
)
from visavis.protocol.policy import RecordingPolicyChange, RecordingPolicySettings
from visavis.protocol.problem import Problem
from visavis.protocol.recordings import RecordingPage, RecordingServerTrial, RecordingServerVerdict
from visavis.protocol.session import PasswordChange, SessionList, SignedIn, SignIn

HEAD: Final = "// Made by `make generated` of the structs in src/visavis/protocol; do not edit.\n"
ALIASES: Final = {frozenset(get_args(Media)): "Media", frozenset(get_args(Party)): "Party"}
UNIONS: Final = {
    "Check": signaling.Check,
    "FromVisitor": signaling.FromVisitor,
    "FromAgent": signaling.FromAgent,
    "ToVisitor": signaling.ToVisitor,
    "ToAgent": signaling.ToAgent,
}
SENT: Final = (
    *get_args(signaling.Check | signaling.FromVisitor | signaling.FromAgent),
    ConfigChange,
    PasswordChange,
    RecordingPolicyChange,
    RecordingServerTrial,
    SignIn,
)
"""Types that the pages send: fields with a default may be omitted."""
BODIES: Final = (
    AudioVideoChatPage,
    AuditLogPage,
    ConfigChange,
    ConfigEvent,
    LibraryComposition,
    LibraryDetails,
    LibraryEntry,
    LibraryPage,
    LibraryParts,
    PasswordChange,
    Problem,
    RecordingPage,
    RecordingPolicyChange,
    RecordingPolicySettings,
    RecordingServerTrial,
    RecordingServerVerdict,
    SessionList,
    SignIn,
    SignedIn,
)
"""Bodies of the HTTP API that the pages send or read."""

_SIMPLE: Final[Mapping[type, str]] = {
    inspect.StrType: "string",
    inspect.DateTimeType: "string",
    inspect.IntType: "number",
    inspect.FloatType: "number",
    inspect.BoolType: "boolean",
    inspect.NoneType: "null",
    inspect.AnyType: "unknown",
}


class Declarations:
    """Declarations of the structs and enums that some types refer to, by name."""

    def __init__(self) -> None:
        self.by_name: dict[str, str] = {}

    def add(self, kind: type) -> None:
        self._type(inspect.type_info(kind))

    def _struct(self, info: inspect.StructType) -> str:
        name = info.cls.__name__
        if name in self.by_name:
            return name
        self.by_name[name] = ""  # the struct may refer to itself
        lines = [f'  {info.tag_field}: "{info.tag}";'] if info.tag_field else []
        for field in info.fields:
            mark = "?" if _is_optional(info.cls, field) else ""
            lines.append(f"  {field.encode_name}{mark}: {self._type(field.type)};")
        body = "\n".join(["{", *lines, "}"]) if lines else "{ [name: string]: never }"
        self.by_name[name] = f"{_comment(info.cls)}export type {name} = {body};\n"
        return name

    def _type(self, info: Any) -> str:
        match info:
            case inspect.Metadata(type=inner, extra_json_schema={"enum": values}):
                return _literal(values) if isinstance(inner, inspect.StrType) else self._type(inner)
            case inspect.Metadata(type=inner):
                return self._type(inner)
            case inspect.StructType():
                return self._struct(info)
            case inspect.EnumType(cls=cls):
                union = _literal([member.value for member in cls])
                self.by_name[cls.__name__] = f"export type {cls.__name__} = {union};\n"
                return str(cls.__name__)
            case inspect.LiteralType(values=values):
                return ALIASES.get(frozenset(values)) or _literal(values)
            case inspect.UnionType(types=types):
                return " | ".join(dict.fromkeys(map(self._type, types)))
            case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
                text = self._type(item)
                return f"({text})[]" if " | " in text else f"{text}[]"
            case inspect.TupleType(item_types=items):
                return f"[{', '.join(map(self._type, items))}]"
            case inspect.DictType(value_type=value):
                return f"{{ [name: string]: {self._type(value)} }}"
        return _SIMPLE[type(info)]


def files() -> dict[str, str]:
    """Return the text of each file of `web/src/generated/`."""
    return {"signaling.ts": _signaling(), "rest.ts": _rest(), "errors.ts": _errors()}


def _signaling() -> str:
    declarations = Declarations()
    for union in UNIONS.values():
        for kind in get_args(union):
            declarations.add(kind)
    unions = [
        f"export type {name} = {' | '.join(kind.__name__ for kind in _members(name))};\n"
        for name in UNIONS
    ]
    aliases = [
        f"export type {name} = {_literal(sorted(values))};\n" for values, name in ALIASES.items()
    ]
    return _file([*aliases, *declarations.by_name.values(), *unions])


def _members(name: str) -> list[type]:
    """Return the messages of a union, without checks, which the socket itself answers."""
    check = get_args(signaling.Check) if name != "Check" else ()
    return [kind for kind in get_args(UNIONS[name]) if kind not in check]


def _rest() -> str:
    declarations = Declarations()
    for kind in BODIES:
        declarations.add(kind)
    types = [declarations.by_name[name] for name in sorted(declarations.by_name)]
    return _file(['import type { Media, Party } from "./signaling";\n', *types])


def _errors() -> str:
    kinds, codes = [kind.name for kind in ErrorKind], [code.name for code in ErrorCode]
    return _file(
        [
            f"export type ErrorKind = {_literal(kinds)};\n",
            "/** A kind of error, or the code of a specific one. */\n"
            f"export type ErrorCode = ErrorKind | {_literal(codes)};\n",
        ]
    )


def _file(parts: Iterable[str]) -> str:
    return "\n".join([HEAD, *parts])


def _is_optional(cls: type, field: inspect.Field) -> bool:
    has_default = field.default is not NODEFAULT or field.default_factory is not NODEFAULT
    return not field.required and (cls in SENT or not has_default)


def _literal(values: Iterable[Any]) -> str:
    return " | ".join(f'"{value}"' for value in values)


def _comment(cls: type) -> str:
    text = " ".join((cls.__doc__ or "").partition("\n\n")[0].split())
    return f"/** {text} */\n" if text else ""


def main() -> None:
    sys.stdout.write(files()[sys.argv[1]])


if __name__ == "__main__":
    main()
