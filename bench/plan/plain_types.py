"""Which plain values an argument takes, as its annotation says: what YAML can hold, and never more than is certain."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a string",
    "dict": "a mapping",
    "NoneType": "null",
}
_UNIONS = {"Optional", "Union"}
_LISTS = {"list", "List", "tuple", "Tuple", "Sequence", "Iterable"}
_MAPPINGS = {"dict", "Dict", "Mapping"}
_OBJECTS = ("torch.", "np.", "numpy.", "PIL.", "Image.Image", "Callable", "Pipeline", "MultiPipeline")
"""What the names begin with of things that no file can contain."""


@dataclass(frozen=True)
class PlainType:
    """What an annotation allows.

    Attributes:
        names: of Python's plain types, with `NoneType`; lists and tuples apart.
        words: the only strings that are allowed, where they are listed.
        items: what a list may contain; None if it may not be a list.
        length: of a list; None if any.
        anything: whether it allows something that is not understood, so that nothing is refused.
        objects: whether it allows tensors, pictures or functions, which no scenario contains.
    """

    names: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    items: "PlainType | None" = None
    length: int | None = None
    anything: bool = False
    objects: bool = False

    def __or__(self, other: "PlainType") -> "PlainType":
        lists = [each for each in (self, other) if each.items is not None]
        lengths = {each.length for each in lists}
        return PlainType(
            names=self.names | other.names,
            words=self.words | other.words,
            items=reduce(or_, [each.items for each in lists if each.items is not None]) if lists else None,
            length=lengths.pop() if len(lengths) == 1 else None,
            anything=self.anything or other.anything,
            objects=self.objects or other.objects,
        )

    def takes(self, value: Any) -> bool:
        if self.anything:
            return True
        if isinstance(value, (list, tuple)):
            return self._takes_list(value)
        name = type(value).__name__
        is_word = isinstance(value, str) and value in self.words
        return name in self.names or is_word or (name == "int" and "float" in self.names)

    def _takes_list(self, values: Sequence[Any]) -> bool:
        if self.items is None or (self.length is not None and len(values) != self.length):
            return False
        return all(self.items.takes(value) for value in values)

    @property
    def only_objects(self) -> bool:
        """Whether no file can contain a value, other than null."""
        plain = self.anything or bool(self.words) or not self.names <= {"NoneType"}
        lists = self.items is not None and not self.items.only_objects
        return not plain and not lists and (self.objects or self.items is not None)

    def described(self) -> str:
        """Return what to give: `a whole number or a list of numbers`."""
        return " or ".join(self._alternatives())

    def _alternatives(self) -> Sequence[str]:
        plain = [word for name, word in _WORDS.items() if name in self.names]
        if self.items is None:
            return [*plain, *sorted(self.words)]
        count = f"{self.length} " if self.length else ""
        inside = " or ".join(self.items._alternatives())  # noqa: SLF001 - of the same class
        return [*plain, *sorted(self.words), f"a list of {count}values, each {inside}" if inside else "a list"]


ANYTHING = PlainType(anything=True)


def annotated(annotation: ast.expr | None, default: ast.expr | None) -> PlainType:
    """Return what an annotation allows, and None where that is the default; anything if the default contradicts it."""
    if annotation is None:
        return ANYTHING
    found = _parsed(annotation)
    if default is None:
        return found
    try:
        value = ast.literal_eval(default)
    except ValueError:
        return found
    if value is None:
        return found | PlainType(frozenset({"NoneType"}))
    return found if found.takes(value) else ANYTHING


def _parsed(node: ast.expr) -> PlainType:
    match node:
        case ast.Constant(value=str(text)):
            return _quoted(text)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _parsed(left) | _parsed(right)
        case ast.Subscript(value=value, slice=inside):
            return _subscripted(ast.unparse(value).rpartition(".")[2], inside)
    return _named(ast.unparse(node))


def _named(name: str) -> PlainType:
    plain = "NoneType" if name == "None" else name
    if plain in _WORDS:
        return PlainType(frozenset({plain}))
    if name in _LISTS:
        return PlainType(items=ANYTHING)
    return PlainType(objects=True) if name.startswith(_OBJECTS) else ANYTHING


def _quoted(text: str) -> PlainType:
    try:
        return _parsed(ast.parse(text, mode="eval").body)
    except SyntaxError:
        return ANYTHING


def _subscripted(name: str, inside: ast.expr) -> PlainType:
    parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
    if name == "Literal":
        words = [part.value if isinstance(part, ast.Constant) else None for part in parts]
        known = all(isinstance(word, str) for word in words)
        return PlainType(words=frozenset(map(str, words))) if known else ANYTHING
    if name in _UNIONS:
        none = [PlainType(frozenset({"NoneType"}))] if name == "Optional" else []
        return reduce(or_, [*map(_parsed, parts), *none])
    if name in _LISTS:
        fixed = [part for part in parts if ast.unparse(part) != "..."]
        items = reduce(or_, map(_parsed, fixed))
        return PlainType(items=items, length=len(parts) if name in {"tuple", "Tuple"} and len(fixed) > 1 else None)
    if name in _MAPPINGS:
        return PlainType(frozenset({"dict"}))
    return PlainType(objects=True) if name.startswith(_OBJECTS) else ANYTHING
