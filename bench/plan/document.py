"""Read a scenario file so that every later error can say in which file and on which line it is.

A line number is worth more than any error text, so the lines of all keys are kept beside the plain data. YAML is
loaded without constructing objects; a key given twice is refused, for one of the two would be silently lost.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bench.errors import InputError

Location = tuple[str | int, ...]
MAX_BYTES = 1024**2
"""A scenario is a page of text; something larger was given by mistake."""


@dataclass
class Document:
    """The plain data of one scenario file, its `extends` merged in, and where each key was written."""

    path: Path
    data: dict[str, Any]
    lines: dict[Location, tuple[Path, int]] = field(default_factory=dict)

    def where(self, location: Location) -> str:
        """Return `file:line` of a key, or of the nearest of its parents that was written down."""
        for end in range(len(location), 0, -1):
            if location[:end] in self.lines:
                path, line = self.lines[location[:end]]
                return f"{path}:{line}"
        return f"{self.path}:1"

    def error(self, location: Location, message: str) -> InputError:
        """Return the error `file:line: message` for the key at `location`."""
        return InputError(f"{self.where(location)}: {message}")


def read(path: Path, _ancestors: tuple[Path, ...] = ()) -> Document:
    """Read `path`, merge it over the file that it extends, and return data with lines.

    Raises:
        InputError: the file cannot be read, is no YAML mapping, has a duplicate key, or extends itself.
    """
    document = _parse(path, _text(path))
    parent_name = document.data.pop("extends", None)
    if parent_name is None:
        return document
    if not isinstance(parent_name, str):
        raise document.error(("extends",), "'extends' must be the name of another scenario file")
    parent_path = path.parent / parent_name
    if parent_path.resolve() in {ancestor.resolve() for ancestor in (*_ancestors, path)}:
        raise document.error(("extends",), f"'{parent_name}' extends itself; break the circle")
    if not parent_path.is_file():
        raise document.error(("extends",), f"there is no file {parent_path}; 'extends' is relative to this file")
    return _merge(read(parent_path, (*_ancestors, path)), document)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        if len(content) > MAX_BYTES:
            raise InputError(f"{path}: {len(content)} bytes are no scenario; give a YAML file of at most {MAX_BYTES}")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give a scenario file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error


def _parse(path: Path, text: str) -> Document:
    try:
        tree = YAML(typ="rt", pure=True).load(StringIO(text))
    except DuplicateKeyError as error:
        raise InputError(f"{path}:{_line(error)}: {_first_line(error.problem)}; keep one of the two") from error
    except MarkedYAMLError as error:
        raise InputError(f"{path}:{_line(error)}: not valid YAML: {_first_line(error.problem)}; mend it") from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"{path}:1: not valid YAML: {_first_line(str(error))}; mend it") from error
    if not isinstance(tree, CommentedMap) or not tree:
        raise InputError(f"{path}:1: a scenario is a mapping with 'model' and 'cases'; see scenarios/ for examples")
    document = Document(path=path, data={})
    document.data = _plain(tree, (), document)
    return document


def _line(error: MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return mark.line + 1 if mark else 1


def _first_line(problem: str | None) -> str:
    return (problem or "unreadable").strip().splitlines()[0]


def _plain(node: Any, location: Location, document: Document) -> Any:
    """Turn ruamel's tree into dicts, lists and plain scalars, noting the line of every key on the way."""
    if isinstance(node, CommentedMap):
        return {key: _child(node, key, node.lc.key, location, document) for key in node}
    if isinstance(node, CommentedSeq):
        return [_child(node, index, node.lc.item, location, document) for index in range(len(node))]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    if node is None:
        return None
    return str(node)  # a date, say: diffusers has no argument that is one


def _child(node: Any, key: Any, line_of: Any, location: Location, document: Document) -> Any:
    here = (*location, key)
    if not isinstance(key, (str, int)) or isinstance(key, bool):
        raise InputError(f"{document.where(location)}: the key {key!r} is no text; put it in quotes")
    with suppress(KeyError):  # merged in with `<<`: the line of its parent serves
        document.lines[here] = (document.path, line_of(key)[0] + 1)
    return _plain(node[key], here, document)


def _merge(parent: Document, child: Document) -> Document:
    """Lay `child` over `parent`: mappings are merged by key, everything else is replaced; a null case is dropped."""
    merged = Document(path=child.path, data=_overlay(parent.data, child.data), lines={**parent.lines, **child.lines})
    dropped = [name for name, case in (child.data.get("cases") or {}).items() if case is None]
    for name in dropped:
        if name in (parent.data.get("cases") or {}):
            del merged.data["cases"][name]
    return merged


def _overlay(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return {**below, **{key: _overlay(below.get(key), value) for key, value in above.items()}}
