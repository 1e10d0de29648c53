"""Typical OCR errors in Python programs, put right: look-alike letters, spaces in operators, lost colons and brackets."""

from __future__ import annotations

import ast
import builtins
import re

from maestro.ensembles.playground.procedures.mentions import similarity

_KEYWORDS = (
    *("for", "in", "range", "print", "if", "else", "elif", "while", "def", "return", "and", "or", "not"),
    *("len", "sum", "append", "break", "continue", "True", "False", "None"),
)
_BLOCK = re.compile(r"^(\s*)(for|while|if|elif|else|def)\b(.*?)\s*[:;.]?\s*$")
_STRING = re.compile(r"('[^']*'|\"[^\"]*\")")
_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_SIGNS = str.maketrans({"×": "*", "÷": "/", "–": "-", "—": "-", "“": '"', "”": '"', "‘": "'", "’": "'", "{": "(", "}": ")"})
_ONE_LIKE, _ZERO_LIKE = {"l", "I", "i", "|"}, {"O", "o", "Q", "D"}


def repaired(source: str) -> tuple[str, int]:
    """The program with its probable OCR errors put right, and how many lines changed in more than spacing."""
    lines = [_line(line) for line in source.split("\n")]
    mended = _names("\n".join(lines)).split("\n")
    before = [re.sub(r"\s", "", line) for line in source.split("\n")]
    changes = sum(old != re.sub(r"\s", "", new) for old, new in zip(before, mended, strict=True))
    return "\n".join(mended), changes


def _line(line: str) -> str:
    """One line, without regard to the others."""
    indent = line[: len(line) - len(line.lstrip())]
    text = line.strip()
    if '"' not in text and "'" not in text:
        text = text.translate(_SIGNS)
        # Inside a number a letter that looks like a digit is one: 1O, l2.
        text = re.sub(r"(?<=\d)[Oo](?=[\d\b),:\s]|$)", "0", text)
        text = re.sub(r"(?<![A-Za-z_\d])[lI|](?=\d)|(?<=\d)[lI|](?![A-Za-z_])", "1", text)
        # "+ =", "= =", "> =" are one operator; so are "* *" and "/ /".
        text = re.sub(r"([-+*/%<>!=])\s+=(?!=)", r"\1=", text)
        text = re.sub(r"\*\s+\*", "**", text)
        text = re.sub(r"/\s+/", "//", text)
        text = re.sub(r"(?<=[\w)\]])\s*\.\s+(?=[a-z])", ".", text)
        # Specks read as dots: a dot belongs between digits or before a method.
        text = re.sub(r"(?<![\w)\]])\.|\.(?!\w)", "", text).strip()
    text = "".join(
        part if index % 2 else _NAME.sub(lambda match: _keyword(match.group()), part) for index, part in enumerate(_STRING.split(text))
    )
    text = re.sub(r"\b(print|range|len|sum|append)\s+(?=\()", r"\1", text)
    text = re.sub(r"\b(for\s+\w+)\s+(?:1n|ln|im|n|m)\s+", r"\1 in ", text)
    text = re.sub(r"\b(for \w+)in\b", r"\1 in", text)
    text = re.sub(r"\b(in)(range)\b", r"\1 \2", text)
    text = re.sub(r"^(for|while|if|elif)(?=[A-Za-z]\b)", r"\1 ", text)
    if match := _BLOCK.match(text):
        text = f"{match[2]}{_balanced(match[3].rstrip())}:"
        if match[2] in {"if", "elif", "while"}:
            text = re.sub(r"(?<![=<>!+\-*/%])=(?!=)", "==", text)
        return indent + text
    return indent + _balanced(text.rstrip(";,") if not text.endswith(")") else text)


def _keyword(word: str) -> str:
    """The keyword or builtin that a word most probably is, else the word."""
    if word in _KEYWORDS or len(word) < 2:
        return word
    for keyword in _KEYWORDS:
        if word.casefold() == keyword.casefold():
            return keyword
        if len(word) >= 4 and abs(len(word) - len(keyword)) <= 1 and len(keyword) >= 4 and similarity(word, keyword) >= 0.85:
            return keyword
    return word


def _balanced(text: str) -> str:
    """The text with missing round brackets at its end added and surplus ones there removed."""
    missing = text.count("(") - text.count(")")
    if missing < 0 and re.search(r"\)\s+\)", text):
        # Two detections that overlap read the bracket between them twice.
        text, missing = re.sub(r"\)\s+\)", ")", text, count=1), missing + 1
    if missing > 0 and text.endswith(("]", "1", "l")) is False:
        return text + ")" * missing
    if missing > 0:
        # ")" is often read as "]" or "l" at the end of a line.
        return text[:-1] + ")" * missing if text.endswith("]") and text.count("[") < text.count("]") else text + ")" * missing
    while missing < 0 and text.endswith(")"):
        text, missing = text[:-1], missing + 1
    return text


def _names(source: str) -> str:
    """Names that are used but never set, replaced by the set name or digit that they look like."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return source
    known = _set_names(tree)
    exchanges: dict[str, str] = {}
    for name in sorted(unset_names(source)):
        if (other := _twin(name, known)) is not None:
            exchanges[name] = other
    # x += 1 before any x = 0: the name that is set only by an update is a misreading too.
    return _exchanged(source, exchanges | _updates(tree))


def _set_names(tree: ast.Module) -> set[str]:
    """Names that a program gives a value, its functions and their parameters included."""
    known = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    known |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return known | _parameters(tree)


def unset_names(source: str) -> set[str]:
    """Names that a program uses or updates but never sets and that Python does not have; empty when it does not parse."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    updated = {node.target.id for node in ast.walk(tree) if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)}
    targets = {id(node.target) for node in ast.walk(tree) if isinstance(node, ast.AugAssign)}
    first = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and id(node) not in targets
    }
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return (used - _set_names(tree) - set(dir(builtins))) | (updated - first - _parameters(tree))


def _parameters(tree: ast.Module) -> set[str]:
    return {argument.arg for node in ast.walk(tree) if isinstance(node, ast.arguments) for argument in node.args}


def _updates(tree: ast.Module) -> dict[str, str]:
    """The same for names that are only ever updated ("Total += 1" where "total = 0" was set)."""
    plain = {
        target.id for node in ast.walk(tree) if isinstance(node, ast.Assign) for target in node.targets if isinstance(target, ast.Name)
    }
    plain |= {node.target.id for node in ast.walk(tree) if isinstance(node, ast.For) and isinstance(node.target, ast.Name)}
    updated = {node.target.id for node in ast.walk(tree) if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)}
    return {name: other for name in updated - plain if (other := _twin(name, plain)) is not None}


def _exchanged(source: str, exchanges: dict[str, str]) -> str:
    """The program with names exchanged outside its strings."""
    parts = _STRING.split(source)
    return "".join(
        part if index % 2 else _NAME.sub(lambda match: exchanges.get(match.group(), match.group()), part)
        for index, part in enumerate(parts)
    )


def _twin(name: str, known: set[str]) -> str | None:
    """The known name, or the digit, that this name looks like."""
    best = max(known, key=lambda other: (similarity(name, other), other), default=None)
    if best is not None and similarity(name, best) >= (0.7 if len(name) > 2 else 0.94):
        return best
    if name in _ONE_LIKE:
        return "1"
    return "0" if name in _ZERO_LIKE else None


__all__ = ["repaired", "unset_names"]
