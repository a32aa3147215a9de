"""Options of the scripts: a typed dataclass, filled from a YAML file and then from the command line."""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
import types
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml


class OptionError(ValueError):
    """An option that is unknown, missing, or has a value that does not fit; the message says which and where."""


class _Loader(yaml.SafeLoader):
    """YAML 1.2's scalars: 1e-3 is a number (YAML 1.1 has it a string) and `no` is a word (YAML 1.1 has it false).

    Dates are words as well. A key given twice in a mapping is an error.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        names = [key.value for key, _ in node.value]
        for position, (key, _) in enumerate(node.value):
            if key.value in names[:position]:
                raise yaml.constructor.ConstructorError(
                    problem=f"{key.value!r} is given twice", problem_mark=key.start_mark
                )
        return super().construct_mapping(node, deep)


_UNIONS = (types.UnionType, typing.Union)  # the latter is that of a Literal and None
_REPLACED = ("bool", "float", "timestamp")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rsplit(":", 1)[1] not in _REPLACED]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][-+]?\d+)?$"),
    list("-+.0123456789"),
)


def describe_options(options_class: type) -> str:
    """What `--help` tells of `options_class`, a dataclass: its docstring, and the default of each option."""
    lines = [options_class.__doc__.rstrip(), "", "    Defaults"]
    for item in dataclasses.fields(options_class):
        default = item.default if item.default_factory is dataclasses.MISSING else item.default_factory()
        told = "none, it has to be given" if default is dataclasses.MISSING else json.dumps(default)
        lines.append(f"    {item.name}: {told}")
    return "\n".join(lines)


def read_options(options_class: type, arguments: list[str]):
    """Build `options_class`, a dataclass, from `CONFIG.yaml [--option value ...]`; the command line wins.

    `--model.dropout 0.0` sets one entry of an option that is a mapping; values are written as in YAML. The class may
    check values against each other in `__post_init__` by OptionError. Raises OptionError naming the file and its line,
    or the command line, and the option.
    """
    if not arguments or arguments[0].startswith("-"):
        raise OptionError("the first argument is the recipe, a YAML file")
    path, values = arguments[0], {}
    for given in _find_given(arguments):
        _set_value(options_class, values, given.origin, given.name, given.value)
    missing = [
        field.name
        for field in dataclasses.fields(options_class)
        if field.default is field.default_factory is dataclasses.MISSING and field.name not in values
    ]
    if missing:
        raise OptionError(f"{path}: option {missing[0]!r} is missing, and has no default")
    try:
        return options_class(**values)
    except OptionError as error:
        told = locate(error, find_origins(arguments))
        raise OptionError(f"{path}: {error}" if told == str(error) else told) from None


def find_origins(arguments: list[str]) -> dict[str, str]:
    """Where each option, and each entry OPTION.NAME of one, was given last: "FILE, line N" or "command line"."""
    origins = {}
    for given in _find_given(arguments):
        origins |= {given.name: given.origin, **given.entries}
    return origins


def locate(error: OptionError, origins: dict[str, str]) -> str:
    """The message; before it, where it begins with an option that was given, the origin of that."""
    named = re.match(r"option '(\w+)(\.\w+)?'", str(error))
    origin = named and origins.get("".join(filter(None, named.groups())), origins.get(named[1]))
    return f"{origin}: {error}" if origin else str(error)


def check_entries(option: str, entries: dict, defaults: dict) -> dict:
    """The entries of a mapping option, each of the type of its default; OptionError for another one, or no such name.

    An entry whose default is not a number, a flag or a word is left to whoever reads it.
    """
    checked = {}
    for name, value in entries.items():
        if name not in defaults:
            raise OptionError(f"option '{option}.{name}' is unknown; {closest(name, defaults)}")
        wanted = type(defaults[name])
        try:
            checked[name] = _convert(value, wanted) if wanted in (int, float, bool, str) else value
        except ValueError:
            raise OptionError(f"option '{option}.{name}' wants {_describe(wanted)}, not {value!r}") from None
    return checked


def require(options, name: str, holds: bool, what: str) -> None:
    """Raise OptionError, naming the option and its value, unless the condition holds."""
    if not holds:
        raise OptionError(f"option {name!r} {what}, not {getattr(options, name)!r}")


def require_ranges(options, positive: Iterable[str], not_negative: Iterable[str], pairs: Iterable[str]) -> None:
    """Raise OptionError for an option out of its range: above 0, at least 0, a list of two. Null fits all of them."""
    for names, fits, what in (
        (positive, lambda value: value > 0, "must be above 0"),
        (not_negative, lambda value: value >= 0, "must not be negative"),
        (pairs, lambda value: len(value) == 2, "must be a list of two"),
    ):
        for name in names:
            require(options, name, getattr(options, name) is None or fits(getattr(options, name)), what)


def closest(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the nearest known one, and all of them."""
    known = sorted(known)
    matches = difflib.get_close_matches(name, known, n=1)
    return f"{f'did you mean {matches[0]!r}? ' if matches else ''}known: {', '.join(known)}"


@dataclasses.dataclass(frozen=True)
class _Given:
    """An option with its value, where it was given, and where each entry of a mapping was, by OPTION.NAME."""

    origin: str
    name: str
    value: object
    entries: dict[str, str] = dataclasses.field(default_factory=dict)


def _find_given(arguments: list[str]) -> list[_Given]:
    """All that `CONFIG.yaml [--option value ...]` gives, in the order in which it counts."""
    files, overrides = arguments[:1], arguments[1:]
    return [*(given for path in files for given in _file_values(Path(path))), *_command_values(overrides)]


def _file_values(path: Path) -> list[_Given]:
    """Each top-level entry of a YAML file."""
    try:
        return _parse(path)
    except OSError as error:
        raise OptionError(f"{path}: cannot be read: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        raise OptionError(f"{path}, line {error.problem_mark.line + 1}: {error.problem}") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise OptionError(f"{path}: is no text: {error}") from None


def _parse(path: Path) -> list[_Given]:
    loader = _Loader(path.read_text(encoding="utf-8"))
    root = loader.get_single_node()
    if root is None:
        return []
    if not isinstance(root, yaml.MappingNode):
        raise OptionError(f"{path}, line {root.start_mark.line + 1}: a recipe is a list of `option: value`")
    entries = {}
    for key, value in root.value:
        origin, name = _line_of(path, key), str(key.value)
        if name in entries:
            raise OptionError(f"{origin}: option {name!r} is given twice")
        within = value.value if isinstance(value, yaml.MappingNode) else []
        lines = {f"{name}.{entry.value}": _line_of(path, entry) for entry, _ in within}
        entries[name] = _Given(origin, name, loader.construct_object(value, deep=True), lines)
    return list(entries.values())


def _line_of(path: Path, node: yaml.Node) -> str:
    return f"{path}, line {node.start_mark.line + 1}"


def _command_values(arguments: list[str]) -> Iterator[_Given]:
    remaining = iter(arguments)
    for argument in remaining:
        if not argument.startswith("--"):
            raise OptionError(f"command line: {argument!r} belongs to no --option")
        name, separator, text = argument[2:].partition("=")
        text = text if separator else next(remaining, None)
        if text is None:
            raise OptionError(f"command line: --{name} has no value")
        try:
            yield _Given("command line", name, yaml.load(text, _Loader))
        except yaml.YAMLError:
            raise OptionError(f"command line: --{name}: {text!r} is not written as in YAML") from None


def _set_value(options_class: type, values: dict, origin: str, name: str, value) -> None:
    name, _, entry = name.partition(".")
    annotations = typing.get_type_hints(options_class)
    if name not in annotations:
        raise OptionError(f"{origin}: unknown option {name!r}; {closest(name, annotations)}")
    if entry:
        if typing.get_origin(annotations[name]) is not dict:
            raise OptionError(f"{origin}: option {name!r} has no entries, so {entry!r} is none of them")
        value = {**values.get(name, {}), entry: value}
    try:
        values[name] = _convert(value, annotations[name])
    except ValueError:
        wanted = _describe(annotations[name])
        raise OptionError(f"{origin}: option {name!r} wants {wanted}, not {value!r}") from None


def _convert(value, annotation):
    """`value` as the annotated type; ValueError where it is not one."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in _UNIONS:
        return _convert_to_any(value, parts)
    if origin is typing.Literal and isinstance(value, str) and value in parts:
        return value
    if origin is list and isinstance(value, list):
        return [_convert(item, parts[0]) for item in value]
    if origin is dict and isinstance(value, dict) and all(isinstance(name, str) for name in value):
        return value
    if annotation is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(annotation, type) and type(value) is annotation:
        return value
    raise ValueError(value)


def _convert_to_any(value, annotations):
    for annotation in annotations:
        try:
            return _convert(value, annotation)
        except ValueError:
            pass
    raise ValueError(value)


def _describe(annotation) -> str:
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in _UNIONS:
        return " or ".join(map(_describe, parts))
    if origin is typing.Literal:
        return "one of " + ", ".join(parts)
    if origin is list:
        return f"a list such as [{', '.join([parts[0].__name__] * 2)}]"
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a word", types.NoneType: "null"}
    return names.get(annotation, "entries of `name: value`")
