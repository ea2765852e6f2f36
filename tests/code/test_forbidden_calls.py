"""Nothing in `lambda/` turns a model's text into code: no eval, exec, process, pickle, ctypes or import by a name from data."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.code.forbidden import findings

ROOT = Path(__file__).resolve().parents[2]
LAMBDA = ROOT / "lambda"
SHIPPED_DATA = ROOT / "datasets" / "probes"

ALLOWED: dict[tuple[str, str], str] = {
    (
        "reward/graders/__init__.py",
        "importlib",
    ): "a grader is a module named by the environment's settings, checked against a pattern of identifiers",
    ("reward/graders/__init__.py", "importlib.util"): "asks whether such a module exists, without importing it",
    ("reward/graders/__init__.py", "pkgutil"): "lists the graders for the error message that names them",
    ("reward/graders/symbolic.py", "importlib"): "the layer is imported when first needed, by a constant name",
    ("reward/bounded.py", "importlib"): "the worker imports the function that its parent named in code, never one from data",
    (
        "reward/bounded.py",
        "multiprocessing",
    ): "slow graders run in a child that can be killed; only JSON bytes pass the pipe, never a pickle",
    ("reward/algebra.py", "sympy.parsing.sympy_parser"): "its parse_expr, which evaluates, is replaced by a reader of literals",
}
"""File and module or function -> why it may be there. An entry covers what lies under the name."""


def used() -> set[tuple[str, str]]:
    """File and full name of everything found in what is shipped."""
    files = [*LAMBDA.rglob("*.py"), *SHIPPED_DATA.rglob("*.py")]
    assert len(files) > 60
    base = {file: file.relative_to(LAMBDA if LAMBDA in file.parents else ROOT).as_posix() for file in files}
    return {(base[file], finding.what) for file in files for finding in findings(file.read_text(encoding="utf-8"))}


def covers(entry: tuple[str, str], finding: tuple[str, str]) -> bool:
    return entry[0] == finding[0] and (finding[1] == entry[1] or finding[1].startswith(f"{entry[1]}."))


def test_what_is_shipped_runs_no_text_and_starts_no_process_but_for_the_reasons_given() -> None:
    assert sorted(finding for finding in used() if not any(covers(entry, finding) for entry in ALLOWED)) == []


def test_every_reason_given_is_still_needed() -> None:
    found = used()
    assert [entry for entry in ALLOWED if not any(covers(entry, finding) for finding in found)] == []


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("eval(text)", "eval"),
        ("run = eval\nrun(text)", "eval"),
        ("exec(text, {})", "exec"),
        ("code = compile(text, 'x', 'exec')", "compile"),
        ("m = __import__(name)", "__import__"),
        ("import os\nos.system(text)", "os.system"),
        ("import os as o\no.system(text)", "os.system"),
        ("from os import system as s\ns(text)", "os.system"),
        ("import os\nrun = os.system\nrun(text)", "os.system"),
        ("import os\ngetattr(os, 'system')(text)", "os.system"),
        ("import os\ngetattr(os, text)()", "getattr(os, …)"),
        ("import os\nrun = getattr(os, 'popen')\nrun(text)", "os.popen"),
        ("from os import execvp", "os.execvp"),
        ("import builtins\ngetattr(builtins, 'eval')(text)", "eval"),
        ("import builtins\nbuiltins.exec(text)", "builtins.exec"),
        ("from builtins import eval as read\nread(text)", "builtins.eval"),
        ("getattr(__builtins__, 'eval')(text)", "__builtins__"),
        ("globals()['__builtins__']['eval'](text)", "globals()[…]"),
        ("import json\nvars(json)['loads'](text)", "vars()[…]"),
        ("().__class__.__bases__[0].__subclasses__()", "__subclasses__"),
        ("def f(): ...\nf.__globals__['x']", "__globals__"),
        ("import subprocess", "subprocess"),
        ("import subprocess as sp\nsp.run(text)", "subprocess.run"),
        ("from subprocess import run", "subprocess.run"),
        ("from multiprocessing import Pool", "multiprocessing.Pool"),
        ("from concurrent.futures import ProcessPoolExecutor", "concurrent.futures.ProcessPoolExecutor"),
        ("import asyncio\nasyncio.create_subprocess_shell(text)", "asyncio.create_subprocess_shell"),
        ("import pickle\npickle.loads(body)", "pickle.loads"),
        ("from pickle import loads as read\nread(body)", "pickle.loads"),
        ("import marshal", "marshal"),
        ("import shelve", "shelve"),
        ("from ctypes import CDLL", "ctypes.CDLL"),
        ("import importlib\nimportlib.import_module(text)", "importlib.import_module"),
        ("from importlib import import_module as load\nload(text)", "importlib.import_module"),
        ("import runpy", "runpy"),
        ("import sys\nsys.modules['os'].system(text)", "sys.modules"),
        ("import sympy\nsympy.sympify(text)", "sympy.sympify"),
        ("from sympy import sympify as read\nread(text)", "sympy.sympify"),
        ("from sympy import *", "sympy.*"),
        ("import yaml\nyaml.load(text)", "yaml.load"),
        ("import operator\noperator.attrgetter(text)(x)", "operator.attrgetter"),
        ("def late():\n    from os import system\n    return system", "os.system"),
        ("try:\n    import cPickle as p\nexcept ImportError:\n    import pickle as p\np.loads(b)", "pickle.loads"),
    ],
)
def test_a_planted_one_is_found(source: str, what: str) -> None:
    assert what in {finding.what for finding in findings(source)}


@pytest.mark.parametrize(
    "source",
    [
        "import re\n_WORD = re.compile('a')",
        "import json\njson.loads(text)",
        "import os\nos.environ.get('A')",
        "def evaluate(): ...\nevaluate()",
        "from pipeline import evaluate\nevaluate.handler({}, None)",
        "class A:\n    eval = 1\nA().eval",
        "getattr(settings, name)",
        "import os\ngetattr(os, 'environ')",
    ],
)
def test_what_only_looks_like_one_is_left_alone(source: str) -> None:
    assert findings(source) == []
