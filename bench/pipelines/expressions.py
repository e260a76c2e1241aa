"""The value of an expression in a library's source, as far as what is known of its names decides it. Nothing is run."""

import ast
import operator
from collections.abc import Callable
from typing import Any

UNKNOWN, PRESENT = object(), object()
"""Nothing is known of a value; it is only known that there is one."""
Values = dict[str, Any]
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, group: item in group,
    ast.NotIn: lambda item, group: item not in group,
}
_COMPUTE: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Mod: operator.mod,
    ast.FloorDiv: operator.floordiv,
}
_PLAIN = {"str": str, "list": list, "int": int, "float": float, "tuple": tuple, "dict": dict, "bool": bool}
_NEVER_PLAIN = ("torch.", "np.", "PIL.", "Image.Image", "PipelineCallback", "MultiPipelineCallbacks")
"""What the names of classes begin with of which nothing in a scenario is an instance."""


def truth(value: Any) -> bool | None:
    """Return whether a value counts as true; None if that is unknown."""
    return None if value is UNKNOWN or value is PRESENT else bool(value)


def evaluate(node: ast.expr, values: Values) -> Any:
    """Return the value of an expression, or UNKNOWN."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return values.get(name, UNKNOWN)
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            found = [evaluate(each, values) for each in elements]
            return UNKNOWN if UNKNOWN in found or PRESENT in found else found
        case ast.Call(func=ast.Name(id=function), args=arguments, keywords=[]):
            return _returned(function, arguments, values)
    return _operated(node, values)


def _returned(function: str, arguments: list[ast.expr], values: Values) -> Any:
    first = evaluate(arguments[0], values) if arguments else UNKNOWN
    if function == "len" and len(arguments) == 1:
        return len(first) if isinstance(first, (str, list, dict)) else UNKNOWN
    return _is_instance(first, arguments[1]) if function == "isinstance" else UNKNOWN


def _operated(node: ast.expr, values: Values) -> Any:
    match node:
        case ast.UnaryOp(op=op, operand=operand):
            return _unary(op, evaluate(operand, values))
        case ast.BoolOp(op=op, values=parts):
            return _either(parts, values, isinstance(op, ast.Or))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            holds = truth(evaluate(test, values))
            return UNKNOWN if holds is None else evaluate(body if holds else orelse, values)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _compared(op, evaluate(left, values), evaluate(right, values))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _COMPUTE:
            return _computed(_COMPUTE[type(op)], evaluate(left, values), evaluate(right, values))
    return UNKNOWN


def _unary(op: ast.unaryop, value: Any) -> Any:
    if isinstance(op, ast.Not):
        holds = truth(value)
        return UNKNOWN if holds is None else not holds
    return -value if isinstance(op, ast.USub) and _is_number(value) else UNKNOWN


def _either(parts: list[ast.expr], values: Values, decisive: bool) -> Any:
    """Return the value of `or`, of which a true part decides, or of `and`, of which a false one does."""
    certain, last = True, UNKNOWN
    for part in parts:
        last = evaluate(part, values)
        holds = truth(last)
        if holds is decisive:
            return last if certain else decisive
        certain = certain and holds is not None
    return last if certain else UNKNOWN


def _compared(op: ast.cmpop, left: Any, right: Any) -> Any:
    if isinstance(op, (ast.Is, ast.IsNot)):
        if UNKNOWN in (left, right) or None not in (left, right):
            return UNKNOWN
        return (left is right) is isinstance(op, ast.Is)
    if any(each is UNKNOWN or each is PRESENT for each in (left, right)):
        return UNKNOWN
    try:
        return _COMPARE[type(op)](left, right)
    except TypeError:
        return UNKNOWN


def _computed(function: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    if not (_is_number(left) and _is_number(right)):
        return UNKNOWN
    try:
        return function(left, right)
    except ArithmeticError:
        return UNKNOWN


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_instance(value: Any, classes: ast.expr) -> Any:
    if value is UNKNOWN or value is PRESENT:
        return UNKNOWN
    known = [
        _is_one(value, ast.unparse(each)) for each in (classes.elts if isinstance(classes, ast.Tuple) else [classes])
    ]
    return True if True in known else UNKNOWN if None in known else False


def _is_one(value: Any, name: str) -> bool | None:
    if name in _PLAIN:
        return isinstance(value, _PLAIN[name])
    return False if name.startswith(_NEVER_PLAIN) else None
