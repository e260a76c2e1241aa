"""Read a scenario file so that every later error can name the file and the line.

A line number helps more than any wording, so the line of every key is kept beside the plain data. Only plain YAML is
read: mappings, lists and scalars. Tags and duplicate keys are refused (one of two values would be lost silently), and
so is a file whose aliases expand without end.
"""

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from bench import files, text
from bench.errors import InputError
from bench.plan.scenario import Scenario

Location = tuple[str | int, ...]
MAX_BYTES = 256 * 1024
"""A scenario is a page of text; anything larger is a mistake, and takes seconds to parse."""
MAX_EXTENDED = 20
"""Files that one scenario extends, one after the other."""
MAX_VALUES = 5_000
"""An alias counts as everything that it stands for. Five thousand take most of a second to parse."""
MAX_DEPTH = 20
MAX_DIGITS = 40
SUFFIXES = (".yaml", ".yml")
_LONGEST_SHOWN = 60
_NAME_ONE = "its contents are not shown, because it is in another folder; correct it, or extend another file"
KEYS = {*Scenario.model_fields, "extends"}
_TOO_MUCH = "nested too deeply, or too many values, with those that aliases stand for"

_SURROGATE = re.compile("[\ud800-\udfff]")
"""`\\ud800` in quotes makes one, and no file that is written later could hold it."""

_TAG = "tag:yaml.org,2002:"
_STRINGS = {f"{_TAG}str", f"{_TAG}timestamp", f"{_TAG}value"}
_OTHER_SCALARS = {f"{_TAG}null", f"{_TAG}bool", f"{_TAG}int", f"{_TAG}float"}


@dataclass
class Document:
    """The plain data of one scenario file, merged over the file it extends, and where each key was written."""

    path: Path
    data: dict[str, Any]
    lines: dict[Location, tuple[Path, int]] = field(default_factory=dict)

    def place(self, location: Location) -> tuple[Path, int]:
        """Return the file and line of a key, or of its nearest parent that was written down."""
        for end in range(len(location), 0, -1):
            if location[:end] in self.lines:
                return self.lines[location[:end]]
        return self.path, 1

    def error(self, location: Location, message: str) -> InputError:
        """Return the error `file:line: message` for the key at `location`."""
        path, line = self.place(location)
        return _error_at(path, line, message)


def shown(value: Any) -> str:
    """Return the `repr` of a value, shortened for an error message."""
    found = repr(value)
    return found if len(found) <= _LONGEST_SHOWN else f"{found[:_LONGEST_SHOWN]}..."


def read(path: Path, _children: tuple[Path, ...] = ()) -> Document:
    """Read `path`, merge it over the file that it extends, and return data with lines.

    Raises:
        InputError: the file cannot be read, is not a plain YAML mapping, has a duplicate key, or extends itself.
    """
    document = _parse(path, _text(path))
    parent_name = document.data.pop("extends", None)
    if parent_name is None:
        return document
    where: Location = ("extends",)
    if not isinstance(parent_name, str):
        raise document.error(where, "'extends' is not a string; give the name of another scenario file")
    if len(_children) >= MAX_EXTENDED:
        raise document.error(where, f"more than {MAX_EXTENDED} files extend each other; shorten the chain")
    parent_path = path.parent / parent_name
    if parent_path.suffix not in SUFFIXES:
        raise document.error(where, f"'extends': {shown(parent_name)} is not a scenario file; give a .yaml file")
    if not _is_file(parent_path):
        raise document.error(where, f"'extends': no such file {shown(parent_name)}; give a path relative to this file")
    if parent_path.resolve() in {child.resolve() for child in (*_children, path)}:
        raise document.error(where, f"'{parent_name}' extends itself; break the cycle")
    return _merge(_parent(parent_path, (*_children, path), document), document)


def _parent(path: Path, children: tuple[Path, ...], child: Document) -> Document:
    """Read the file that a document extends.

    A scenario that was sent can name any file of its reader's. What lies outside the folder of the first scenario, also
    by way of a link, is therefore never quoted, unless it is a scenario.
    """
    if path.resolve().is_relative_to(children[0].resolve().parent):
        return read(path, children)
    try:
        found = read(path, children)
    except InputError as error:
        raise child.error(
            ("extends",), f"'extends': {shown(str(path))} cannot be read as a scenario; {_NAME_ONE}"
        ) from error
    if not found.data.keys() <= KEYS:
        raise child.error(("extends",), f"'extends': {shown(str(path))} has keys that no scenario has; {_NAME_ONE}")
    return found


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # not a possible file name
        return False


def _text(path: Path) -> str:
    content = files.read(path, MAX_BYTES)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error


def _parse(path: Path, content: str) -> Document:
    try:
        yaml = YAML(typ="safe", pure=True)
        yaml.Composer = _BoundedComposer
        yaml.composer.warn_double_anchors = False  # YAML allows them, and the warning would quote the file
        root = yaml.compose(content)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _invalid(path, mark.line + 1 if mark else 1, error.problem) from error
    except ReaderError as error:
        line, code = content[: error.position].count("\n") + 1, ord(content[error.position])
        raise _error_at(path, line, f"not valid YAML: the character #x{code:04x}; remove it") from error
    except (YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise _invalid(path, 1, str(error)) from error
    if not isinstance(root, MappingNode) or not root.value or root.tag != f"{_TAG}map":
        raise InputError(f"{path}:1: a scenario is a mapping; write 'title', 'model' and 'cases'")
    document = Document(path=path, data={})
    document.data = _Reader(document).read(root, ())
    return document


def _invalid(path: Path, line: int, problem: str | None) -> InputError:
    first = next(iter((problem or "").strip().splitlines()), "unreadable")
    return _error_at(path, line, f"not valid YAML: {first}; fix it")


def _error_at(path: Path, line: int, message: str) -> InputError:
    """Return the error with control characters escaped: the contents of a file must not steer the terminal."""
    return InputError(f"{path}:{line}: {text.printable(message)}")


class _BoundedComposer(Composer):
    """Stops at the first value too many, while most of the text is not parsed yet."""

    values = depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        """Compose a node with everything in it.

        Raises:
            MarkedYAMLError: there are more than `MAX_VALUES`, or it is nested in more than `MAX_DEPTH` others.
        """
        self.values += 1
        self.depth += 1
        if self.values > 2 * MAX_VALUES or self.depth > MAX_DEPTH + 1:  # the key of a value is a node, too
            raise MarkedYAMLError(problem=_TOO_MUCH, problem_mark=self.parser.peek_event().start_mark)
        node: Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Reader:
    """Turns YAML nodes into plain data and records the line of every key and item."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._construct = YAML(typ="safe", pure=True).constructor.construct_object
        self._values = 0
        self._open: list[Node] = []

    def read(self, node: Node, location: Location) -> Any:
        """Return the plain data of a node; refuse what is too large, or contains itself through an alias."""
        self._values += 1
        if self._values > MAX_VALUES or len(location) > MAX_DEPTH:
            raise self._error(node, f"{_TOO_MUCH}; write it shorter")
        if isinstance(node, ScalarNode):
            return self._scalar(node, location)
        if any(node is outer for outer in self._open):
            message = f"{_named(location)}contains itself through an alias; write it out"
            raise self._document.error(location, message)
        self._open.append(node)
        data = self._mapping(node, location) if isinstance(node, MappingNode) else self._list(node, location)
        self._open.pop()
        return data

    def _mapping(self, node: MappingNode, location: Location) -> dict[str, Any]:
        """Return a mapping; what `<<` merges into it goes below its own keys."""
        if node.tag != f"{_TAG}map":
            raise self._tag_error(node, location)
        data: dict[str, Any] = {}
        own: set[str] = set()
        for key_node, value_node in sorted(node.value, key=lambda pair: pair[0].tag != f"{_TAG}merge"):
            if key_node.tag == f"{_TAG}merge":
                for merged in value_node.value if isinstance(value_node, SequenceNode) else [value_node]:
                    if not isinstance(merged, MappingNode):
                        raise self._error(merged, "'<<' merges mappings; give the alias of one")
                    data = {**self.read(merged, location), **data}
                continue
            key = self._key(key_node)
            if key in own:
                raise self._error(key_node, f'the key "{key}" is a duplicate; keep one of the two')
            own.add(key)
            self._document.lines[(*location, key)] = self._place(key_node)
            data[key] = self.read(value_node, (*location, key))
        return data

    def _list(self, node: Node, location: Location) -> list[Any]:
        if node.tag != f"{_TAG}seq":
            raise self._tag_error(node, location)
        self._document.lines |= {(*location, index): self._place(item) for index, item in enumerate(node.value)}
        return [self.read(item, (*location, index)) for index, item in enumerate(node.value)]

    def _key(self, node: Node) -> str:
        if not isinstance(node, ScalarNode):
            raise self._error(node, "a key is a mapping or a list; use a string, in quotes if necessary")
        if node.tag != f"{_TAG}str":
            raise self._error(node, f"the key {shown(self._scalar(node, ()))} is not a string; put it in quotes")
        return self._string(node)

    def _string(self, node: ScalarNode) -> str:
        if _SURROGATE.search(node.value):
            raise self._error(node, f"{shown(node.value)} is half of a character, which no file can hold; remove it")
        return str(node.value)

    def _scalar(self, node: ScalarNode, location: Location) -> Any:
        if node.tag in _STRINGS:
            return self._string(node)
        if node.tag not in _OTHER_SCALARS:
            raise self._tag_error(node, location)
        if len(node.value) > MAX_DIGITS:
            raise self._error(node, f"{_named(location)}{shown(node.value)} has too many digits; shorten it")
        try:
            value = self._construct(node)
        except (YAMLError, ValueError, LookupError) as error:
            message = f"{_named(location)}{shown(node.value)} does not match its tag; remove the tag or fix the value"
            raise self._error(node, message) from error
        if isinstance(value, float) and not math.isfinite(value):
            raise self._error(node, f"{_named(location)}{value} is not a finite number; give one")
        return value

    def _tag_error(self, node: Node, location: Location) -> InputError:
        return self._error(node, f"{_named(location)}the tag {shown(str(node.tag))} is not supported; write plain YAML")

    def _place(self, node: Node) -> tuple[Path, int]:
        return self._document.path, node.start_mark.line + 1

    def _error(self, node: Node, message: str) -> InputError:
        return _error_at(*self._place(node), message)


def _named(location: Location) -> str:
    name = next((part for part in reversed(location) if isinstance(part, str)), None)
    return f"'{name}': " if name else ""


def _merge(parent: Document, child: Document) -> Document:
    """Lay `child` over `parent`: mappings merge by key, other values are replaced, and a null case is dropped."""
    merged = Document(path=child.path, data=_overlay(parent.data, child.data), lines={**parent.lines, **child.lines})
    below, above = parent.data.get("cases"), child.data.get("cases")
    if below is not None and not isinstance(below, dict):
        raise parent.error(("cases",), f"'cases' is {shown(below)}; give a mapping, such as {{name: {{}}}}")
    if isinstance(below, dict) and isinstance(above, dict):
        for name in (name for name, case in above.items() if case is None and name in below):
            del merged.data["cases"][name]
    return merged


def _overlay(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return {**below, **{key: _overlay(below.get(key), value) for key, value in above.items()}}
