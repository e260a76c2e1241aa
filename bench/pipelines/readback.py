"""Read a program back: it must do what was meant, and nothing else, because a person is going to run it."""

import ast
from collections.abc import Sequence
from typing import Any

Call = tuple[str, Any, dict[str, Any]]
"""The name of a function, what it is applied to or what it loads, and its keywords."""
VARIABLE = object()
"""Stands for a variable of the same name as its keyword."""
_APPLIED_TO_NOTHING = {"pipe", "LoraConfig"}
_FROM_CASE = _APPLIED_TO_NOTHING | {
    "from_config", "from_pretrained", "load_ip_adapter", "load_lora_weights", "open", "set_adapters",
    "set_ip_adapter_scale",
}  # fmt: skip


def verify(program: str, statements: int, dtype: str, meant: Sequence[Call]) -> None:
    """Raise ValueError, with the reason, unless a program has the calls that were meant, and no other statement.

    Args:
        program: the source.
        statements: how many it has at its top level.
        dtype: the type in which everything is loaded.
        meant: every call that gets its arguments from the case.
    """
    try:
        tree = ast.parse(program)
    except SyntaxError as error:
        raise ValueError(str(error)) from error
    called = [found for node in ast.walk(tree) if (found := _known_call(node, dtype))]
    if len(tree.body) != statements or any(called.count(call) != meant.count(call) for call in [*called, *meant]):
        raise ValueError("read back, it says something else")


def _known_call(node: ast.AST, dtype: str) -> Call | None:
    """Return what is called and with what, for a function that gets its arguments from a case."""
    if not isinstance(node, ast.Call) or (name := ast.unparse(node.func).rpartition(".")[2]) not in _FROM_CASE:
        return None
    typed = [word for word in node.keywords if word.arg == "dtype" and ast.unparse(word.value) == f"torch.{dtype}"]
    literals = [word for word in node.keywords if word.arg != "generator" and word not in typed]
    what = (
        ast.unparse(node.args[0]) if name == "from_config"
        else name in _APPLIED_TO_NOTHING or ast.literal_eval(node.args[0])
    )  # fmt: skip
    return name, what, {str(word.arg): _value(word) for word in literals}


def _value(keyword: ast.keyword) -> Any:
    """Return the literal that a keyword gives, and for a variable of the same name that it is one."""
    same = isinstance(keyword.value, ast.Name) and keyword.value.id == keyword.arg
    return VARIABLE if same else ast.literal_eval(keyword.value)
