"""The house rules that no linter knows: each a small function, each seen to fail on a planted violation."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

import pytest

ROOT = Path(__file__).parents[2]
MAX_LINES = 400
SOURCES = ("src/", "client/src/", "kit/src/")
PURE = ("src/caisse/core/", "src/caisse/audit/", "src/caisse/story/", "src/caisse/currencies/")
SQL_SPEAKERS = ("src/caisse/store/", "client/src/caisse_client/outbox.py")
"""The store; and the client's durable queue, which is an SQLite file."""
PRINTERS = ("src/caisse/cli/", "kit/src/caisse_kit/cli/")
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
EVASION = re.compile(r"pytest\.(mark\.)?(skip|skipif|xfail|importorskip)")
UNFINISHED = re.compile(r"\b(TODO|FIXME)\b")
SQL = re.compile(
    r"^\s*select\s|\bselect\s.*\sfrom\s|\binsert\s+into\b|\bdelete\s+from\b|\bupdate\s.*\sset\s",
    re.IGNORECASE | re.DOTALL,
)

SECRET = re.compile(
    r"(?:.*[_.])?(?:token|secret|password|credential|digest|key_hash|secret_hash|presented)s?"
)


@dataclass(frozen=True)
class Module:
    """One file, its path as seen from the repository's root."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def in_src(self) -> bool:
        return self.path.startswith(SOURCES)


Rule = Callable[[Module], Iterator[str]]


def files_are_short(module: Module) -> Iterator[str]:
    lines = module.text.count("\n")
    if module.in_src and lines > MAX_LINES:
        yield f"{lines} lines, {MAX_LINES} are allowed"


def init_files_hold_no_code(module: Module) -> Iterator[str]:
    if not (module.in_src and module.path.endswith("/__init__.py")):
        return
    for node in module.tree.body:
        exports = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        if not (is_text(node) or exports or isinstance(node, ast.Import | ast.ImportFrom)):
            yield f"line {node.lineno}: code in __init__.py"


def names_say_something(module: Module) -> Iterator[str]:
    for part in Path(module.path).with_suffix("").parts:
        if module.in_src and part in VAGUE_NAMES:
            yield f"the name {part!r} says nothing"


def modules_say_what_they_are_for(module: Module) -> Iterator[str]:
    if module.in_src and not ast.get_docstring(module.tree):
        yield "no module docstring"


def nothing_is_left_unfinished(module: Module) -> Iterator[str]:
    for line, text in [*comments(module), *docstrings(module)]:
        if found := UNFINISHED.search(text):
            yield f"line {line}: {found[0]}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and node.id == "NotImplementedError":
            yield f"line {node.lineno}: NotImplementedError"


def no_test_is_passed_over(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        name = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
        if EVASION.fullmatch(name):
            yield f"{name} passes a test over"


def the_core_makes_no_floats(module: Module) -> Iterator[str]:
    if module.path.startswith(PURE):
        yield from calls_of("float", module)


def only_the_store_speaks_sql(module: Module) -> Iterator[str]:
    if not module.in_src or module.path.startswith(SQL_SPEAKERS):
        return
    prose = {line for line, _ in docstrings(module)}
    for node in ast.walk(module.tree):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            continue
        if SQL.search(node.value) and node.lineno not in prose:
            yield f"line {node.lineno}: SQL outside the store"


def only_the_command_line_prints(module: Module) -> Iterator[str]:
    if module.in_src and not module.path.startswith(PRINTERS):
        yield from calls_of("print", module)


def secrets_are_compared_in_constant_time(module: Module) -> Iterator[str]:
    """With `compare_digest`, or found by their hash; `==` tells by its time how much of a guess was right."""
    for node in ast.walk(module.tree):
        if not (module.in_src and isinstance(node, ast.Compare)):
            continue
        for left, op, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
            sides = [left, right] if isinstance(op, ast.Eq | ast.NotEq) else [left]
            if isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn) and any(map(is_secret, sides)):
                yield f"line {node.lineno}: {ast.unparse(node)}"


def is_secret(node: ast.AST) -> bool:
    """By its name, or the name of what makes it."""
    if isinstance(node, ast.Call):
        node = node.func
    return isinstance(node, ast.Name | ast.Attribute) and SECRET.fullmatch(ast.unparse(node)) is not None


def is_text(node: ast.AST) -> TypeGuard[ast.Expr]:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def calls_of(name: str, module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield f"line {node.lineno}: {name}()"


def comments(module: Module) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def docstrings(module: Module) -> Iterator[tuple[int, str]]:
    """Every string that stands alone as a statement, with its first line."""
    for node in ast.walk(module.tree):
        if is_text(node):
            yield node.lineno, ast.unparse(node)


# For each rule, what must not pass: where it stands, and its text.
PLANTED: dict[Rule, list[tuple[str, str]]] = {
    files_are_short: [("src/caisse/long.py", "x = 1\n" * (MAX_LINES + 1))],
    init_files_hold_no_code: [
        ("src/caisse/__init__.py", '"""Doc."""\n__version__ = "1"\n'),
        ("src/caisse/core/__init__.py", "def f(): ...\n"),
        ("kit/src/caisse_kit/__init__.py", "def f(): ...\n"),
    ],
    names_say_something: [("src/caisse/utils.py", ""), ("src/caisse/helpers/money.py", "")],
    modules_say_what_they_are_for: [("src/caisse/money.py", "x = 1\n"), ("src/caisse/core/__init__.py", "")],
    nothing_is_left_unfinished: [
        ("src/caisse/a.py", "x = 1  # TODO: two\n"),
        ("tests/test_a.py", 'def f():\n    """FIXME"""\n'),
        ("src/caisse/a.py", "raise NotImplementedError\n"),
        ("src/caisse/a.py", 'raise NotImplementedError("later")\n'),
    ],
    no_test_is_passed_over: [
        ("tests/test_a.py", "@pytest.mark.skip\ndef test_a(): ...\n"),
        ("tests/test_a.py", "@pytest.mark.skipif(True, reason='')\ndef test_a(): ...\n"),
        ("tests/test_a.py", "pytestmark = pytest.mark.xfail\n"),
        ("tests/test_a.py", "pytest.skip('not now')\n"),
        ("tests/test_a.py", "apsw = pytest.importorskip('apsw')\n"),
    ],
    the_core_makes_no_floats: [("src/caisse/core/money.py", "x = float('0.1')\n")],
    only_the_store_speaks_sql: [
        ("src/caisse/writer/writer.py", "x = 'select 1'\n"),
        ("src/caisse/writer/writer.py", "x = f'SELECT {a} FROM t'\n"),
        ("src/caisse/cli/commands/audit.py", "x = 'with a as (select b from t) table a'\n"),
        ("src/caisse/cli/commands/audit.py", "x = 'insert into journal values (1)'\n"),
        ("src/caisse/cli/commands/audit.py", "x = 'UPDATE wallet\\nSET balance = 0'\n"),
        ("src/caisse/cli/commands/audit.py", "x = 'delete from journal'\n"),
        ("client/src/caisse_client/clients.py", "x = 'delete from outbox'\n"),
    ],
    only_the_command_line_prints: [
        ("src/caisse/writer/writer.py", "print('here')\n"),
        ("kit/src/caisse_kit/runner.py", "print('here')\n"),
    ],
    secrets_are_compared_in_constant_time: [
        ("src/caisse/dialects/wire/auth.py", "right = token == given\n"),
        ("src/caisse/dialects/wire/auth.py", "right = 'x' != partner.token\n"),
        ("src/caisse/dialects/wire/auth.py", "right = secret_hash(text) == stored\n"),
        ("src/caisse/dialects/wire/auth.py", "right = parties.secret_hash(text) in self._tokens\n"),
        ("src/caisse/web/app.py", "right = a == way.connection.key_hash == b\n"),
    ],
}

# What a careless rule would refuse: each must pass them all.
PROPER = [
    ("src/caisse/core/__init__.py", '"""Doc."""\n\nfrom a import b\n\n__all__ = ["b"]\n'),
    ("src/caisse/writer/writer.py", '"""It may select rows from the store and update what is set.\n"""\n'),
    ("src/caisse/store/sqlite/sqlite.py", '"""Doc."""\nQUERY = "select balance from wallet"\n'),
    ("src/caisse/cli/main.py", '"""Doc."""\nprint("hello")\n'),
    ("src/caisse/settings.py", '"""Doc."""\ntimeout = float("0.5")\n'),
    (
        "src/caisse/dialects/wire/auth.py",
        '"""Doc."""\nright = user in tokens and compare_digest(a, token)\n',
    ),
    ("tests/test_a.py", "assert sql('select 1') == 1\nx = y.skip\n" * MAX_LINES),
]


def house() -> Iterator[Module]:
    for top in ("src", "client/src", "kit/src", "tests"):
        for path in sorted((ROOT / top).rglob("*.py")):
            yield Module(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("rule", PLANTED, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule: Rule) -> None:
    modules = list(house())
    assert len(modules) > 2
    assert [f"{module.path}: {finding}" for module in modules for finding in rule(module)] == []


@pytest.mark.parametrize(
    ("rule", "path", "text"), [(r, *case) for r, cases in PLANTED.items() for case in cases]
)
def test_a_planted_violation_is_found(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Module(path, text)))


@pytest.mark.parametrize(("path", "text"), PROPER)
@pytest.mark.parametrize("rule", PLANTED, ids=lambda rule: rule.__name__)
def test_proper_code_passes(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Module(path, text))) == []
