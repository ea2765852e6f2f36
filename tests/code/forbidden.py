"""Finds, on the syntax tree, every way this project knows of to turn text into running code or another process.

Names are followed through imports (`from os import system as s`), assignments (`run = os.system`) and `getattr` with a constant.
What is found is the mention, not the call: a function that is handed on is as dangerous as one that is called.
"""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass, field

BUILTINS = {"eval", "exec", "compile", "__import__", "__builtins__", "__loader__", "breakpoint"}

MODULES = {
    # Other processes, and code from bytes or text.
    *("subprocess", "pty", "multiprocessing", "concurrent.futures.process"),
    *("pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "copyreg"),
    *("ctypes", "cffi", "_ctypes"),
    *("code", "codeop", "runpy", "imp", "zipimport", "importlib", "pkgutil", "builtins", "timeit", "pdb", "bdb", "trace", "doctest"),
    # Its `sympify` and `parse_expr` evaluate strings as Python.
    *("sympy.parsing.sympy_parser", "numexpr", "yaml", "xmlrpc", "telnetlib", "ftplib"),
}

FUNCTIONS = {
    *("os.system", "os.popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.posix_spawnp", "os.startfile"),
    *(f"os.{family}{ending}" for family in ("exec", "spawn") for ending in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
    *("sympy.sympify", "sympy.S", "sympy.parse_expr", "sympy.core.sympify.sympify", "sympy.lambdify"),
    *("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell", "concurrent.futures.ProcessPoolExecutor"),
    *("types.FunctionType", "types.CodeType", "sys.modules", "sys.settrace", "sys.setprofile", "sys.meta_path", "sys.path_hooks"),
    *("logging.config", "inspect.getattr_static"),
}

ATTRIBUTES = {"__globals__", "__builtins__", "__code__", "__subclasses__", "__bases__", "__mro__", "__reduce__", "__reduce_ex__"}
"""The steps by which sandboxed Python is left."""

_GETTERS = {"operator.attrgetter", "operator.methodcaller"}
"""Only with names that are not constants."""


@dataclass(frozen=True)
class Finding:
    """`what` is the full name that was found; `line` where."""

    what: str
    line: int


def findings(source: str) -> list[Finding]:
    """Everything forbidden in a module's source, in the order of its lines."""
    visitor = _Visitor()
    visitor.visit(ast.parse(source))
    return sorted(set(visitor.found), key=lambda finding: (finding.line, finding.what))


def _forbidden(name: str) -> str | None:
    """The entry of the lists that a full name falls under."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        head = ".".join(parts[:end])
        if head in MODULES or head in FUNCTIONS:
            return name
    return None


@dataclass
class _Visitor(ast.NodeVisitor):
    names: dict[str, str] = field(default_factory=dict)
    found: list[Finding] = field(default_factory=list)

    def _note(self, what: str | None, node: ast.stmt | ast.expr) -> None:
        if what:
            self.found.append(Finding(what, node.lineno))

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._note(_forbidden(alias.name), node)
            self.names[alias.asname or alias.name.split(".")[0]] = alias.name if alias.asname else alias.name.split(".")[0]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            full = f"{module}.{alias.name}"
            self._note(f"{module}.*" if alias.name == "*" else _forbidden(full), node)
            self.names[alias.asname or alias.name] = full

    def visit_Assign(self, node: ast.Assign) -> None:
        full = self._full(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name) and full:
                self.names[target.id] = full
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        full = self._full(node) if isinstance(node.ctx, ast.Load) else None
        if full in BUILTINS:
            self._note(full, node)
        elif full:
            self._note(_forbidden(full), node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr in ATTRIBUTES:
            self._note(node.attr, node)
        full = self._full(node)
        self._note(full and (_forbidden(full) or _of_builtins(full)), node)
        if not isinstance(node.value, ast.Name):
            self.visit(node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        # globals()["eval"], vars(builtins)["exec"], __dict__["system"]: a namespace read as a table.
        space = node.value
        if isinstance(space, ast.Call) and isinstance(space.func, ast.Name) and space.func.id in {"globals", "vars", "locals"}:
            self._note(f"{space.func.id}()[…]", node)
        if isinstance(space, ast.Attribute) and space.attr == "__dict__":
            self._note("__dict__[…]", node)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id in {"getattr", "setattr", "delattr"} and len(node.args) > 1:
            self._getattr(node)
        full = self._full(node.func)
        if full in _GETTERS and not all(isinstance(given, ast.Constant) for given in node.args):
            self._note(full, node)
        self.generic_visit(node)

    def _getattr(self, node: ast.Call) -> None:
        owner, name = node.args[0], node.args[1]
        module = self._full(owner)
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            if name.value in BUILTINS | ATTRIBUTES:
                self._note(name.value, node)
            self._note(module and _forbidden(f"{module}.{name.value}"), node)
        elif module and isinstance(owner, ast.Name) and owner.id in self.names:
            # A computed name on an imported module may be any of its functions.
            self._note(f"getattr({module}, …)", node)

    def _full(self, node: ast.expr) -> str | None:
        """The dotted name an expression stands for, through imports and assignments; None for anything else."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id) or (node.id if node.id in BUILTINS else None)
        if isinstance(node, ast.Attribute):
            owner = self._full(node.value)
            return f"{owner}.{node.attr}" if owner else None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr" and len(node.args) > 1:
            owner, name = self._full(node.args[0]), node.args[1]
            return f"{owner}.{name.value}" if owner and isinstance(name, ast.Constant) and isinstance(name.value, str) else None
        return None


def _of_builtins(full: str) -> str | None:
    module, _, name = full.rpartition(".")
    return full if module == "builtins" and name in BUILTINS and hasattr(builtins, name) else None
