"""Which calls a pipeline itself would refuse: its own checks, evaluated before anything is built or imported.

diffusers checks the arguments of a call in `check_inputs`, once the model is loaded. Here the source of `__call__` and
`check_inputs` is followed for what a scenario says. Everything else (tensors, the configuration of the model) is
unknown, and a refusal counts only if it does not depend on anything unknown.
"""

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from bench.pipelines.expressions import PRESENT, UNKNOWN, Values, evaluate, truth
from bench.pipelines.source_text import Methods
from bench.plan.vocabulary import Refusal


class _RefusedError(Exception):
    """A `raise` that is certainly reached."""

    def __init__(self, message: str, condition: ast.expr | None) -> None:
        super().__init__(message)
        self.condition = condition


def refusal(methods: Methods, call: Mapping[str, Any], present: frozenset[str]) -> Refusal | None:
    """Return why a pipeline would refuse a call; None if it is not certain that it would.

    Args:
        methods: of the pipeline's class.
        call: the arguments that a scenario gives.
        present: those among them, and others, that are tensors, pictures or generators.
    """
    method = methods.get("__call__")
    if method is None:
        return None
    values = _defaults(method)
    values |= {name: list(value) if isinstance(value, tuple) else value for name, value in call.items()}
    values |= dict.fromkeys(present, PRESENT)
    try:
        _Following(methods).block(method.body, values)
    except _RefusedError as error:
        names = [name for name in _names(error.condition) if name in _arguments(method)]
        given = tuple(name for name in names if name in call)
        return Refusal(given, () if given or not _asks_for(error.condition) else tuple(names), str(error))
    return None


def _arguments(method: ast.FunctionDef) -> set[str]:
    return {argument.arg for argument in (*method.args.args, *method.args.kwonlyargs)}


def _names(condition: ast.expr | None) -> tuple[str, ...]:
    found = ast.walk(condition) if condition is not None else ()
    return tuple(dict.fromkeys(node.id for node in found if isinstance(node, ast.Name)))


def _asks_for(condition: ast.expr | None) -> bool:
    """Return whether a condition only says that arguments are None."""
    tests = condition.values if isinstance(condition, ast.BoolOp) and isinstance(condition.op, ast.And) else [condition]
    return all(isinstance(test, ast.Compare) and ast.unparse(test).endswith(" is None") for test in tests)


def _defaults(method: ast.FunctionDef) -> Values:
    arguments = method.args
    defaults = dict(zip(reversed(arguments.args), reversed(arguments.defaults), strict=False))
    given = [*defaults.items(), *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    return {argument.arg: _literal(default) for argument, default in given if default is not None}


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return UNKNOWN


class _Following:
    """Follows statements as Python would, as far as what is known decides them."""

    def __init__(self, methods: Methods) -> None:
        self._methods = methods
        self._conditions: list[ast.expr] = []

    def block(self, statements: list[ast.stmt], values: Values) -> bool:
        """Return whether what comes after these statements may be reached; raise `_RefusedError` at a `raise`."""
        return all(self._statement(statement, values) for statement in statements)

    def _statement(self, statement: ast.stmt, values: Values) -> bool:
        match statement:
            case ast.Raise(exc=raised):
                raise _RefusedError(_message(raised, values), self._conditions[-1] if self._conditions else None)
            case ast.If():
                return self._branch(statement, values)
            case ast.Expr(value=ast.Call() as called):
                self._called(called, values)
                return True
            case ast.Assign(targets=[target], value=value):
                if isinstance(value, ast.Call):
                    self._called(value, values)
                _assign(target, value, values)
                return True
            case ast.Return() | ast.Break() | ast.Continue():
                return False
        _forget(statement, values)
        return not _may_end(statement)

    def _branch(self, branch: ast.If, values: Values) -> bool:
        holds = truth(evaluate(branch.test, values))
        if holds is None:
            _forget(branch, values)
            return not _may_end(branch)
        self._conditions.append(branch.test if holds else ast.UnaryOp(ast.Not(), branch.test))
        goes_on = self.block(branch.body if holds else branch.orelse, values)
        self._conditions.pop()
        return goes_on

    def _called(self, called: ast.Call, values: Values) -> None:
        method = self._methods.get("check_inputs")
        if method is None or ast.unparse(called.func) != "self.check_inputs":
            return
        unpacked = any(isinstance(each, ast.Starred) for each in called.args)
        if unpacked or any(word.arg is None for word in called.keywords):
            return
        names = [argument.arg for argument in method.args.args[1:]]
        given = dict(zip(names, called.args, strict=False)) | {str(word.arg): word.value for word in called.keywords}
        self.block(method.body, _defaults(method) | {name: evaluate(value, values) for name, value in given.items()})


def _assign(target: ast.expr, value: ast.expr, values: Values) -> None:
    if isinstance(target, ast.Name):
        values[target.id] = evaluate(value, values)
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        found = [evaluate(each, values) for each in value.elts]
        values.update(
            {each.id: new for each, new in zip(target.elts, found, strict=True) if isinstance(each, ast.Name)}
        )
    else:
        _forget(target, values)


def _forget(node: ast.AST, values: Values) -> None:
    """Make everything unknown that a statement may assign."""
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, (ast.Store, ast.Del)):
            values[each.id] = UNKNOWN


def _may_end(node: ast.AST) -> bool:
    return any(isinstance(each, (ast.Return, ast.Break, ast.Continue)) for each in ast.walk(node))


def _message(raised: ast.expr | None, values: Values) -> str:
    """Return the words of an exception, with the values that are known."""
    words = raised.args[0] if isinstance(raised, ast.Call) and raised.args else None
    return " ".join("".join(_words(words, values)).split()) if words is not None else "it raises an error"


def _words(node: ast.expr, values: Values) -> Iterator[str]:
    match node:
        case ast.Constant(value=value):
            yield str(value)
        case ast.JoinedStr(values=parts):
            for part in parts:
                yield from _words(part, values)
        case ast.FormattedValue(value=ast.Call(func=ast.Name(id="type"), args=[value])):
            found = evaluate(value, values)
            yield ast.unparse(value) if found in (UNKNOWN, PRESENT) else type(found).__name__
        case ast.FormattedValue(value=value):
            found = evaluate(value, values)
            yield ast.unparse(value) if found in (UNKNOWN, PRESENT) else str(found)[:100]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from _words(left, values)
            yield from _words(right, values)
        case _:
            yield ast.unparse(node)
