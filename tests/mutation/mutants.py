"""Mutants: every small change that can be made to a module, each with a name that outlives a shifted line.

A comparison turned, an arithmetic sign, a number or a text changed, `and` for `or`, a condition reversed, a
statement left out, a `return` that returns nothing, two guards in the other order. What is no code is left
alone: annotations, docstrings, decorators, the words of messages.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

SOURCE = Path(__file__).resolve().parents[2] / "src" / "caisse"

PURE = ("core/*.py", "core/rules/*.py", "audit/*.py", "story/*.py", "currencies/table.py")
"""What the tests of the core try alone."""

TABLES = {
    "currencies/table": ("_ISO_4217", "_CRYPTO"),
    "story/words": ("RULES", "KINDS", "VERDICTS"),
    "core/policy": ("_LATE_BET", "_REFUND_AMOUNT", "_SETTLED_BET", "_BY_ROUND", "_RETRANSMISSION"),
}
"""Words for people, and lists that others wrote: a change of them is no change of a rule."""

COMPARISONS: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
NOT_CODE = ("annotation", "returns", "decorator_list", "type_params")
LONGEST = 90


def modules() -> list[str]:
    """The modules that have mutants: `core/rules/play`."""
    files = [file for pattern in PURE for file in SOURCE.glob(pattern) if file.stem != "__init__"]
    return sorted(file.relative_to(SOURCE).with_suffix("").as_posix() for file in files)


def names(module: str) -> list[str]:
    """The names of a module's mutants, each once."""
    return list(_numbered(_changes(_tree(module), module)))


def tree_of(module: str, name: str) -> ast.Module:
    """The module with that one change."""
    tree = _tree(module)
    for this in _numbered(_changes(tree, module)):
        if this == name:
            return ast.fix_missing_locations(tree)
    raise LookupError(f"no such mutant: {name}")


def _tree(module: str) -> ast.Module:
    file = SOURCE / f"{module}.py"
    return ast.parse(file.read_text(), str(file))


def _numbered(found: Iterator[str]) -> Iterator[str]:
    """Equal changes at several places of one function are told apart by a number."""
    seen: Counter[str] = Counter()
    for name in found:
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name} ({seen[name]})"


def _changes(tree: ast.Module, module: str) -> Iterator[str]:
    """Each change in turn: the tree has it while its name is told, and not afterwards."""
    for where, owner, field, index, node in _places(tree, module):
        for other in _others(owner, field, node):
            _put(owner, field, index, other)
            yield f"{where}: {_text(node)} -> {_text(other)}"
            _put(owner, field, index, node)
    yield from _swaps(tree, module)


def _swaps(owner: ast.AST, where: str) -> Iterator[str]:
    """Neighbouring guards in the other order: their order is the precedence of verdicts."""
    for _, value in ast.iter_fields(owner):
        for index, node in enumerate(value) if isinstance(value, list) else [(0, value)]:
            if not isinstance(node, ast.AST):
                continue
            if isinstance(value, list) and index + 1 < len(value) and _are_guards(node, value[index + 1]):
                value[index], value[index + 1] = value[index + 1], node
                yield f"{where}: {_text(node.test)} <-> {_text(value[index].test)}"
                value[index], value[index + 1] = node, value[index]
            yield from _swaps(node, _within(where, node))


def _are_guards(first: ast.AST, second: ast.AST) -> TypeGuard[ast.If]:
    """Whether both are `if …: return …`, and nothing that the first names is used by the second."""
    if not (isinstance(first, ast.If) and isinstance(second, ast.If)):
        return False
    if not (isinstance(first.body[-1], ast.Return) and isinstance(second.body[-1], ast.Return)):
        return False
    named = {node.target.id for node in ast.walk(first) if isinstance(node, ast.NamedExpr)}
    return not any(isinstance(node, ast.Name) and node.id in named for node in ast.walk(second))


Place = tuple[str, ast.AST, str, int | None, ast.AST]


def _places(owner: ast.AST, where: str) -> Iterator[Place]:
    """Everything in the tree that may be changed: in which function, and where it hangs."""
    for field, value in ast.iter_fields(owner):
        if field in NOT_CODE or (isinstance(owner, ast.ClassDef) and field == "keywords"):
            continue
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(node, ast.AST) and not _is_silent(node, owner, where):
                yield where, owner, field, index, node
                yield from _places(node, _within(where, node))


def _within(where: str, node: ast.AST) -> str:
    return f"{where}.{node.name}" if isinstance(node, ast.FunctionDef | ast.ClassDef) else where


def _is_silent(node: ast.AST, owner: ast.AST, where: str) -> bool:
    """Docstrings, imports, what a bug would raise, the words of findings, and tables of words."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.AnnAssign | ast.Assign):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        return ast.unparse(target) in TABLES.get(where, ())
    if isinstance(node, ast.JoinedStr):
        return isinstance(owner, ast.Yield)
    return isinstance(node, ast.Import | ast.ImportFrom | ast.Raise)


def _put(owner: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(owner, field, node)
    else:
        getattr(owner, field)[index] = node


def _text(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _others(owner: ast.AST, field: str, node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in a node's place."""
    match node:
        case ast.Compare(left=left, ops=ops, comparators=right):
            for n, op in enumerate(ops):
                for other in COMPARISONS[type(op)]:
                    yield ast.Compare(left, [*ops[:n], other(), *ops[n + 1 :]], right)
        case ast.BinOp(left=a, op=op, right=b) if type(op) in ARITHMETIC:
            yield ast.BinOp(a, ARITHMETIC[type(op)](), b)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.Constant(value=value):
            yield from _other_values(value)
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield ast.Return(ast.Constant(None))
        case ast.Expr() | ast.AugAssign() | ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
    if _is_condition(owner, field) and not isinstance(node, ast.Compare | ast.UnaryOp):
        assert isinstance(node, ast.expr)
        yield ast.UnaryOp(ast.Not(), node)


def _other_values(value: object) -> Iterator[ast.Constant]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
    elif isinstance(value, str) and " " not in value:  # else it is words for people
        yield ast.Constant(f"{value}?")


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_condition(owner: ast.AST, field: str) -> bool:
    asks = isinstance(owner, ast.If | ast.IfExp | ast.While) and field == "test"
    return asks or (isinstance(owner, ast.comprehension) and field == "ifs") or field == "guard"
