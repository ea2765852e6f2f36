"""Code answers, checked without running them: that they parse, define what was asked for, and keep away from what is forbidden.

Whether code computes the right thing cannot be known this way. A function that is always wrong passes if it is well formed; only
a literal answer is compared with the reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from reward.contract import Sample
from reward.graders import program, texts
from reward.graders.options import Options
from reward.score import Outcome, Score

# Possessive, so that a line that turns out to be no fence is read once and not once for every place the tag could end.
_FENCE = re.compile(r"^[ \t]{0,3}(`{3,}+|~{3,}+)[ \t]*+([A-Za-z0-9_+#.-]*+)[^\n`]*+$", re.MULTILINE)
_PYTHON = frozenset({"", "python", "py", "python3"})
_NAME = re.compile(r"[^\W\d]\w{0,99}")
MAX_REQUIRED = 50


def grader(
    *,
    language: str = "python",
    functions: Mapping[str, Sequence[str]] | None = None,
    functions_key: str = "",
    forbidden_imports: Sequence[str] = (),
    forbidden_calls: Sequence[str] = ("eval", "exec", "compile", "__import__"),
    literal: bool = False,
) -> Callable[[Sample], Score]:
    """The code grader. It reads the last fenced block marked with the language or, for Python, the last unmarked one if none is. The
    answer's last block must be closed.

    It pays 0 unless the block parses and is clean; then the mean of what is asked for: the share of `functions` defined, and 1
    or 0 for the literal. If neither is asked for, a block that parses is paid in full, which is only fit to be a gate.

    Args:
        language: ``python`` is parsed; for any other name the block must be marked with it, its brackets must balance, and required
            functions must appear by name before a bracket.
        functions: names that must be defined at the top level, each with its parameters' names in order, or an empty list if they
            do not matter. A definition that does nothing does not count.
        functions_key: a key of the training record that holds such a table for its sample; a record without it is BAD_GOLD.
        forbidden_imports: modules; a package forbids what is in it. Python only.
        forbidden_calls: names or dotted names that may not be used, called or not. Python only.
        literal: the block's last statement must be, or assign, a literal equal to the reference: JSON of the record, or a string
            holding a Python literal. Python only.

    Raises:
        InvalidInput: for a value outside these.
    """
    options = Options()
    python = options.string("language", language).lower() == "python"
    asked = _Asked(
        language=language.lower() if isinstance(language, str) else "",
        functions=_required(options, "functions", functions or {}),
        key=options.string("functions_key", functions_key, empty=True),
        modules=frozenset(options.strings("forbidden_imports", forbidden_imports)),
        mentions=frozenset(options.strings("forbidden_calls", forbidden_calls)),
        literal=options.flag("literal", literal),
    )
    if not python and (asked.literal or asked.modules):
        options.fault("language", language, "python, if literal or forbidden_imports is set")
    options.done()
    names = ["parses", "clean", *(["defines"] if asked.functions or asked.key else []), *(["literal"] if asked.literal else [])]
    read = _python if python else _other

    def grade(sample: Sample) -> Score:
        wanted = _required_by(sample.metadata.get(asked.key), asked.functions) if asked.key else asked.functions
        gold = _gold(sample.reference) if asked.literal else None
        if wanted is None or (asked.literal and gold is None):
            found: Sequence[float] | Outcome = Outcome.BAD_GOLD
        elif len(sample.response) > texts.MAX_TEXT:
            found = Outcome.OVERSIZE
        else:
            source = _last_block(texts.answer(sample), _PYTHON if python else {asked.language})
            found = source if isinstance(source, Outcome) else read(source, wanted, gold, asked)
        if isinstance(found, Outcome):
            return Score(0.0, found, tuple(texts.reward(each, 0.0) for each in names))
        parts = tuple(texts.reward(each, value) for each, value in zip(names, [*found, 0.0, 0.0], strict=False))
        rest = found[2:] or (1.0,)
        return texts.scored(sum(rest) / len(rest) if all(found[:2]) else 0.0, parts)

    return grade


class _Asked(NamedTuple):
    language: str
    functions: Mapping[str, list[str]]
    key: str
    modules: frozenset[str]
    mentions: frozenset[str]
    literal: bool


_Gold = tuple[Any, bool]


def _python(source: str, wanted: Mapping[str, list[str]], gold: _Gold | None, asked: _Asked) -> Sequence[float] | Outcome:
    """What each component is: parses, clean, and if it is clean what else is asked for."""
    try:
        tree = program.parsed(source)
    except program.Unreadable:
        return Outcome.UNPARSABLE
    if not tree.body:
        return Outcome.UNPARSABLE
    if program.imports(tree) & asked.modules or program.mentions(tree) & asked.mentions:
        return (1.0, 0.0)
    found = [1.0, 1.0]
    if wanted:
        made = program.definitions(tree)
        found.append(_share([_defined(made.get(name), parameters) for name, parameters in wanted.items()]))
    if gold is not None:
        found.append(_ends_in(tree, gold))
    return found


def _other(source: str, wanted: Mapping[str, list[str]], _gold: _Gold | None, asked: _Asked) -> Sequence[float] | Outcome:
    bare = (_RUST_SKIPPED if asked.language in _RUST else _SKIPPED).sub(" ", source)
    if not _balanced(bare):
        return Outcome.UNPARSABLE
    return [1.0, 1.0, *([_share([_called(bare, name) for name in wanted])] if wanted else [])]


def _last_block(text: str, tags: AbstractSet[str]) -> str | Outcome:
    blocks = _blocks(text)
    if blocks is None:
        return Outcome.UNPARSABLE
    # A block without a tag is often the output that follows the program, so it is read only where none is marked.
    marked = [source for tag, source in blocks if tag and tag in tags]
    unmarked = [source for tag, source in blocks if not tag and tag in tags]
    return next(reversed(marked or unmarked), Outcome.NO_MARKER)


def _share(held: Sequence[bool]) -> float:
    return sum(held) / len(held)


def _required(options: Options, path: str, value: object) -> dict[str, list[str]]:
    table = options.table(path, value)
    if len(table) > MAX_REQUIRED:
        options.fault(path, len(table), f"at most {MAX_REQUIRED} functions")
    for name in table:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            options.fault(path, name, "the name of a function")
    return {str(name): options.strings(f"{path}.{name}", entries) for name, entries in table.items()}


def _required_by(given: object, fixed: Mapping[str, list[str]]) -> dict[str, list[str]] | None:
    options = Options()
    found = _required(options, "functions", given)
    return None if options.problems or not found else {**fixed, **found}


def _gold(reference: object) -> _Gold | None:
    """The expected literal and whether it came as JSON, which has no tuples."""
    if reference is None:
        return None
    try:
        if not isinstance(reference, str):
            return program.from_json(reference), True
        return program.last_literal(program.parsed(reference)), False
    except program.Unreadable:
        return None


def _ends_in(tree: Any, gold: _Gold) -> float:
    try:
        return float(program.equal(program.last_literal(tree), gold[0], loose=gold[1]))
    except program.Unreadable:
        return 0.0


def _defined(found: program.Definition | None, parameters: Sequence[str]) -> bool:
    return found is not None and not program.empty(found) and (not parameters or program.parameters(found) == list(parameters))


def _blocks(text: str) -> list[tuple[str, str]] | None:
    """The fenced blocks with their tags; None if the last is never closed."""
    found: list[tuple[str, str]] = []
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opened is None:
            opened = fence
        elif fence[1].startswith(opened[1]) and not fence[2]:
            found.append((opened[2].lower(), text[opened.end() + 1 : fence.start()]))
            opened = None
    return found if opened is None else None


# A string that is never closed ends with its line and a comment with the block; nothing is looked at twice.
_QUOTED = r"'(?:[^'\\\n]|\\.)*+'?"
_REST = r"\"(?:[^\"\\\n]|\\.)*+\"?|`(?:[^`\\]|\\[\s\S])*+`?|//[^\n]*+|/\*[\s\S]*?(?:\*/|\Z)|#[^\n]*+"
_SKIPPED = re.compile(f"{_QUOTED}|{_REST}")
_RUST = frozenset({"rust", "rs"})
# There a quote stands before a lifetime as well, which nothing closes.
_RUST_SKIPPED = re.compile(rf"'(?:[^'\\\n]|\\[^'\n]{{1,12}}|\\')'|{_REST}")
_PAIRS = {")": "(", "]": "[", "}": "{"}


def _balanced(bare: str) -> bool:
    """Whether the brackets of a source without its strings and comments pair up; false for an empty one."""
    waiting: list[str] = []
    for sign in re.findall(r"[()\[\]{}]", bare):
        if sign not in _PAIRS:
            waiting.append(sign)
        elif not waiting or waiting.pop() != _PAIRS[sign]:
            return False
    return not waiting and bool(bare.strip())


def _called(bare: str, name: str) -> bool:
    generic = r"(?:<[^<>()]{0,80}>|\[[^\[\]()]{0,80}\])?"
    return re.search(rf"(?<!\w){re.escape(name)}\s*+{generic}\s*+[(=:]", bare) is not None
