"""Code answers."""

from __future__ import annotations

from typing import Any

from reward.score import Outcome

from benchmarks.labelled import paid, refused


def _block(source: str, tag: str = "python") -> str:
    return f"Here it is:\n```{tag}\n{source}\n```\nDone."


_ADD = {"functions": {"add": ["a", "b"]}}
_TWO = {"functions": {"add": ["a", "b"], "sub": []}}
_LITERAL = {"literal": True}
_CLEAN = {"forbidden_imports": ["os", "subprocess"], **_ADD}
_GO = {"language": "go", "functions": {"Add": []}}
_RUST = {"language": "rust", "functions": {"longest": []}}
_RUST_OK = "fn longest<'a>(x: &'a str, y: &'a str) -> &'a str { if x.len() > y.len() { x } else { y } }"
_DEEP: Any = 1
for _ in range(200):
    _DEEP = [_DEEP]
_OK = "def add(a, b):\n    return a + b"
_U, _N, _B = Outcome.UNPARSABLE, Outcome.NO_MARKER, Outcome.BAD_GOLD
_RECORD: dict[str, Any] = {"options": {"functions_key": "code"}, "metadata": {"code": {"add": ["a", "b"]}}}

CASES = [
    paid("function", _block(_OK), options=_ADD),
    paid("untagged block", _block(_OK, ""), options=_ADD),
    paid("with annotations", _block("def add(a: int, b: int = 0) -> int:\n    return a + b"), options=_ADD),
    paid("async", _block("async def add(a, b):\n    return a + b"), options=_ADD),
    paid("last of two blocks", _block("def add(:") + "\nSorry:\n" + _block(_OK), options=_ADD),
    paid("another language's block after", _block(_OK) + "\n" + _block("add 1 2", "sh"), options=_ADD),
    paid("after thinking", "<think>```python\nimport os\n```</think>" + _block(_OK), options=_CLEAN),
    paid("record's functions", _block(_OK), **_RECORD),
    paid("one of two functions", _block(_OK), options=_TWO, bound=0.5),
    paid("parses, nothing else asked", _block("print('hi')")),
    paid("tilde fence", f"~~~python\n{_OK}\n~~~", options=_ADD),
    paid("os as a word", _block("def add(a, b):\n    'uses no os'\n    cos = a\n    return cos + b"), options=_CLEAN),
    paid("literal list", _block("[1, 2, 3]"), reference="[1, 2, 3]", options=_LITERAL),
    paid("literal assigned", _block("answer = {'a': [1, -2.5], 'b': None}"), reference={"b": None, "a": [1, -2.5]}, options=_LITERAL),
    paid("literal after code", _block("x = 5\n(1, 'a')"), reference="(1, 'a')", options=_LITERAL),
    paid("JSON list given as a tuple", _block("(1, 2)"), reference=[1, 2], options=_LITERAL),
    paid("set in another order", _block("{3, 1, 2}"), reference="{1, 2, 3}", options=_LITERAL),
    paid("whole number as a float", _block("2.0"), reference=2, options=_LITERAL),
    paid("Go", _block("package p\n\nfunc Add(a, b int) int {\n\treturn a + b // }\n}", "go"), options=_GO),
    paid("function as a lambda", _block("add = lambda a, b: a + b"), options=_ADD),
    paid("output after the program", _block(_OK) + "\nOutput:\n```\n5 apples\n```", options=_ADD),
    paid("Windows line ends", _block(_OK).replace("\n", "\r\n"), options=_ADD),
    paid("generic function in Go", _block("func Add[T int | float64](a, b T) T { return a + b }", "go"), options=_GO),
    paid("lifetimes in Rust", _block(_RUST_OK, "rust"), options=_RUST),
    paid(
        "bracket as a sign in Rust",
        _block("fn longest(c: char) -> bool { c == '{' || c == '\\'' || c == '\\u{7d}' }", "rust"),
        options=_RUST,
    ),
    paid("key twice, the last counts", _block("{1: 2, 1: 3}"), reference="{1: 3}", options=_LITERAL),
    paid("reference as its own answer", _block("['x', True]"), reference=["x", True], options=_LITERAL),
    refused("no block", _OK, options=_ADD, outcome=_N),
    refused("empty", "", options=_ADD, outcome=_N),
    refused("block never closed", f"```python\n{_OK}", options=_ADD, outcome=_U),
    refused("syntax error", _block("def add(a, b) return a + b"), options=_ADD, outcome=_U),
    refused("cut off", _block("def add(a, b):\n    return (a +"), options=_ADD, outcome=_U),
    refused("empty block", _block(""), options=_ADD, outcome=_U),
    refused("comment only", _block("# def add(a, b): return a + b"), options=_ADD, outcome=_U),
    refused("other name", _block("def plus(a, b):\n    return a + b"), options=_ADD),
    refused("other parameters", _block("def add(x):\n    return x"), options=_ADD),
    refused("does nothing", _block("def add(a, b):\n    '''Adds.'''\n    ..."), options=_ADD),
    refused("not implemented", _block("def add(a, b):\n    raise NotImplementedError('later')"), options=_ADD),
    refused("defined inside", _block("def f():\n    def add(a, b):\n        return a + b"), options=_ADD),
    refused("defined in a string", _block("s = 'def add(a, b): return a + b'"), options=_ADD),
    refused("redefined to nothing", _block(_OK + "\ndef add(a, b):\n    pass"), options=_ADD),
    refused("deleted again", _block(_OK + "\ndel add"), options=_ADD),
    refused("assigned away", _block(_OK + "\nadd = None"), options=_ADD),
    refused("returns nothing", _block("def add(a, b):\n    return None"), options=_ADD),
    refused("lambda of nothing", _block("add = lambda a, b: ..."), options=_ADD),
    refused("eval in wide letters", _block("def add(a, b):\n    return \uff45val('a+b')"), options=_ADD),
    refused("forbidden import in wide letters", _block("import \uff4fs\n" + _OK), options=_CLEAN),
    refused("list for a tuple", _block("[1, 2]"), reference="(1, 2)", options=_LITERAL),
    refused("no number as the reference", _block("1"), reference=float("nan"), options=_LITERAL, outcome=_B),
    refused("reference nested too deep", _block("[1]"), reference=_DEEP, options=_LITERAL, outcome=_B),
    refused("fence that never was one", "```" + "a" * 90_000 + "`", options=_ADD, outcome=_N),
    refused("powers apart", _block("** " * 49), options=_ADD, outcome=_U),
    refused("lines of lambdas", _block(("lambda: " * 19 + "\n") * 100), options=_ADD, outcome=_U),
    refused("forbidden import", _block("import os.path\n" + _OK), options=_CLEAN),
    refused("forbidden import, from", _block("from os import path\n" + _OK), options=_CLEAN),
    refused("forbidden import inside", _block("def add(a, b):\n    import subprocess as s\n    return a + b"), options=_CLEAN),
    refused("eval", _block("def add(a, b):\n    return eval('a+b')"), options=_ADD),
    refused("eval under another name", _block("e = eval\n" + _OK), options=_ADD),
    refused("eval as an attribute", _block("import builtins\n" + _OK + "\nbuiltins.eval('1')"), options=_ADD),
    refused("__import__", _block("__import__('os').getpid()\n" + _OK), options=_ADD),
    refused("wrong literal", _block("[1, 2, 4]"), reference="[1, 2, 3]", options=_LITERAL),
    refused("true is not one", _block("True"), reference=1, options=_LITERAL),
    refused("computed literal", _block("[1] + [2, 3]"), reference="[1, 2, 3]", options=_LITERAL),
    refused("power instead of a number", _block("10**100000000"), reference="1", options=_LITERAL),
    refused("string of the literal", _block("'[1, 2, 3]'"), reference="[1, 2, 3]", options=_LITERAL),
    refused("every candidate", _block("[1]\n[2]\n[1, 2, 3]\n[4]"), reference="[1, 2, 3]", options=_LITERAL),
    refused("deep brackets", _block("(" * 3000 + ")" * 3000), options=_ADD, outcome=_U),
    refused("wall of signs", _block("-" * 9000 + "1"), options=_ADD, outcome=_U),
    refused("chain of attributes", _block("a" + ".b" * 9000), options=_ADD),
    refused("null sign", _block("x = 1\x00"), options=_ADD, outcome=_U),
    refused("wrong language", _block("func Add() {}", "go"), options=_ADD, outcome=_N),
    refused("Go, unbalanced", _block("func Add() {", "go"), options=_GO, outcome=_U),
    refused("Go, name in a comment", _block("// Add(\nfunc Sub() {}", "go"), options=_GO),
    refused("too long", _block("x = 1\n" * 30_000), options=_ADD, outcome=Outcome.OVERSIZE),
    refused("no literal to compare with", _block("1"), options=_LITERAL, outcome=_B),
    refused("reference is no literal", _block("1"), reference="print(1)", options=_LITERAL, outcome=_B),
    refused("record without functions", _block(_OK), options={"functions_key": "code"}, outcome=_B),
    refused("well formed and always wrong", _block("def add(a, b):\n    return 0"), options=_ADD, miss=True),
    refused(
        "forbidden call put together",
        _block("def add(a, b):\n    return getattr(__builtins__, 'ev' + 'al')('a+b')"),
        options=_ADD,
        miss=True,
    ),
    paid(
        "bound method under its name",
        _block("class Sum:\n    def add(self, a, b):\n        return a + b\nadd = Sum().add"),
        options=_ADD,
        miss=True,
    ),
    paid("equal by another spelling", _block("list((1, 2, 3))"), reference="[1, 2, 3]", options=_LITERAL, miss=True),
]
