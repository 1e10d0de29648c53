"""Expressions and equations as text, parsed by hand into SymPy: nothing in the text is ever evaluated as code.

Numbers are exact rationals. Whatever could blow up is bounded before it is computed: length, digits, powers, degree.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

MAX_CHARACTERS = 300
_MAX_DIGITS = 40
_MAX_RESULT_DIGITS = 200
_MAX_DEGREE = 6
_FUNCTIONS = ("sqrt", "abs")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+))"
    r"|(?P<function>sqrt|abs|mod|pi)(?![a-z])|(?P<unknown>[a-zA-Z])(?![a-zA-Z])|(?P<sign>\*\*|//|[-+*/^%()=√π²³]))"
)
_LOOKALIKES = str.maketrans(
    {"−": "-", "–": "-", "—": "-", "‐": "-", "×": "*", "⋅": "*", "·": "*", "∙": "*", "∗": "*", "÷": "/", "∕": "/", "⁄": "/", "＝": "=",
     "＋": "+", "[": "(", "]": ")", "{": "(", "}": ")", "\u00a0": " ", "\u2009": " ", "\u202f": " "}
)  # fmt: skip


class ExpressionError(ValueError):
    """The text is no expression or equation, or one beyond the bounds; the message says where or which."""


@dataclass(frozen=True)
class Token:
    """One piece of an expression."""

    kind: str
    """number, function, unknown or sign"""
    text: str


@dataclass(frozen=True)
class Parsed:
    """An expression, or both sides of an equation (`right` None when there is no equals sign)."""

    left: Any
    right: Any | None
    unknown: str | None


@dataclass(frozen=True)
class _Node:
    """A SymPy expression with a bound on its degree in the unknown."""

    value: Any
    degree: int = 0
    percent: bool = False


def tokenise(text: str) -> list[Token]:
    """The tokens of a text. Raises ExpressionError at the first thing that is none."""
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(f"the expression has {len(text)} characters; at most {MAX_CHARACTERS} are read")
    text = text.translate(_LOOKALIKES).strip()
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(f"cannot read {text[position : position + 12].strip()!r}")
        kind = str(match.lastgroup)
        tokens.append(Token(kind, match[kind]))
        position = match.end()
    return tokens


def parse(text: str) -> Parsed:
    """Parse an expression (`2*(3+4)`) or an equation in one unknown (`3x + 4 = 19`).

    `^` and `**` are powers; `2x`, `2(3)` and `3√2` multiply; `x` or `X` between numbers without an equation multiplies
    too; `%` after a number is a percentage and `a + b%` adds b percent of a. Raises ExpressionError.
    """
    tokens = _resolve_times(tokenise(text))
    sides: list[list[Token]] = [[]]
    for token in tokens:
        if token.text == "=":
            sides.append([])
        else:
            sides[-1].append(token)
    if len(sides) == 2 and not sides[1]:
        sides.pop()  # "3 + 4 ="
    if len(sides) > 2 or not all(sides):
        raise ExpressionError("an equation has one equals sign and something on both sides")
    unknowns = {token.text for token in tokens if token.kind == "unknown"}
    if len(unknowns) > 1:
        raise ExpressionError(f"there is more than one unknown: {', '.join(sorted(unknowns))}")
    parsed = [_Parser(side).whole() for side in sides]
    return Parsed(parsed[0], parsed[1] if len(parsed) == 2 else None, next(iter(unknowns), None))


def _resolve_times(tokens: list[Token]) -> list[Token]:
    """`3 x 4` is a product where x cannot be an unknown: there is no equation, or x stands only between numbers of a finished sum."""
    crosses = [index for index, token in enumerate(tokens) if token.kind == "unknown" and token.text in "xX"]
    equation = any(token.text == "=" for token in tokens[:-1])
    between = [index for index in crosses if 0 < index < len(tokens) - 1 and _ends(tokens[index - 1]) and _begins(tokens[index + 1])]
    others = any(token.kind == "unknown" and token.text not in "xX" for token in tokens)
    if between and (not equation or others) and len(between) == len(crosses):
        return [Token("sign", "*") if index in between else token for index, token in enumerate(tokens)]
    return tokens


def _ends(token: Token) -> bool:
    return token.kind == "number" or token.text in {")", "%", "²", "³", "π", "pi"}


def _begins(token: Token) -> bool:
    return token.kind == "number" or token.text in {"(", "√", "sqrt", "abs", "π", "pi"}


class _Parser:
    """Recursive descent over one side; the depth is bounded by the length of the text."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0

    def whole(self) -> Any:
        """Return the SymPy expression of all tokens."""
        node = self.sum()
        if self.position < len(self.tokens):
            raise ExpressionError(f"cannot go on at {self.tokens[self.position].text!r}")
        return node.value

    def sum(self) -> _Node:
        left = self.product()
        while (sign := self._take("+", "-")) is not None:
            right = self.product()
            value = left.value * right.value if right.percent and not left.percent else right.value
            left = _Node(left.value + value if sign == "+" else left.value - value, max(left.degree, right.degree))
        return left

    def product(self) -> _Node:
        left = self.signed()
        while True:
            sign = self._take("*", "//", "/", "mod", "%")
            if sign is None and not self._at_implicit():
                return left
            right = self.signed() if sign is not None else self.power()
            left = _product(left, sign or "*", right)

    def signed(self) -> _Node:
        negative = False
        while (sign := self._take("+", "-")) is not None:
            negative ^= sign == "-"
        node = self.power()
        return _Node(-node.value, node.degree, node.percent) if negative else node

    def power(self) -> _Node:
        base = self.atom()
        while (mark := self._take("²", "³")) is not None:
            base = _power(base, _Node(_rational("2" if mark == "²" else "3")))
        if self._take("**", "^") is not None:
            base = _power(base, self.signed())
        while self._at_percent():
            self.position += 1
            base = _Node(base.value / 100, base.degree, percent=True)
        return base

    def atom(self) -> _Node:
        import sympy

        if self.position >= len(self.tokens):
            raise ExpressionError("the expression ends too early")
        token = self.tokens[self.position]
        self.position += 1
        if token.kind == "number":
            return _Node(_rational(token.text.replace(",", "")))
        if token.kind == "unknown":
            return _Node(sympy.Symbol(token.text), 1)
        if token.text in {"pi", "π"}:
            return _Node(sympy.pi)
        if token.text in {"√", *_FUNCTIONS}:
            return _function(token.text, self.atom())
        if token.text == "(":
            node = self.sum()
            if self._take(")") is None:
                raise ExpressionError("a bracket is not closed")
            return _Node(node.value, node.degree)
        raise ExpressionError(f"did not expect {token.text!r}")

    def _take(self, *signs: str) -> str | None:
        if self.position < len(self.tokens) and self.tokens[self.position].text in signs and self.tokens[self.position].kind != "unknown":
            self.position += 1
            return self.tokens[self.position - 1].text
        return None

    def _at_implicit(self) -> bool:
        if self.position >= len(self.tokens):
            return False
        token, before = self.tokens[self.position], self.tokens[self.position - 1]
        if token.kind == "number":  # "3 4" is no product, ")4" and "x4" are none that anybody writes, but ")(" is
            return before.text == ")"
        return token.kind == "unknown" or _begins(token)

    def _at_percent(self) -> bool:
        """Whether a percent sign here is a percentage and not a remainder (`17 % 5`)."""
        if self.position >= len(self.tokens) or self.tokens[self.position].text != "%":
            return False
        following = self.tokens[self.position + 1] if self.position + 1 < len(self.tokens) else None
        return following is None or not (following.kind in {"number", "unknown"} or following.text == "(")


def _rational(digits: str) -> Any:
    import sympy

    if len(digits) > _MAX_DIGITS:
        raise ExpressionError(f"the number {digits[:12]}… has more than {_MAX_DIGITS} digits")
    return sympy.Rational(digits)


def _function(name: str, argument: _Node) -> _Node:
    import sympy

    if argument.degree:
        raise ExpressionError(f"the unknown stands inside {name}, which is not solved here")
    return _Node(sympy.Abs(argument.value) if name == "abs" else sympy.sqrt(argument.value))


def _product(left: _Node, sign: str, right: _Node) -> _Node:
    import sympy

    degree = _checked_degree(left.degree + right.degree)
    if sign == "*":
        return _Node(_checked(left.value * right.value), degree, percent=False)
    if right.value == 0:
        raise ExpressionError("division by zero")
    if sign == "/":
        return _Node(_checked(left.value / right.value), degree)
    if degree:
        raise ExpressionError("the unknown stands in a remainder or whole division, which is not solved here")
    return _Node(sympy.Mod(left.value, right.value) if sign in {"mod", "%"} else sympy.floor(left.value / right.value))


def _power(base: _Node, exponent: _Node) -> _Node:
    if exponent.degree or not exponent.value.is_Rational:
        raise ExpressionError("only plain numbers are understood as exponents")
    size = abs(exponent.value)
    if base.degree:
        if not exponent.value.is_Integer or size * base.degree > _MAX_DEGREE:
            raise ExpressionError(f"powers of the unknown go up to {_MAX_DEGREE}")
        return _Node(base.value**exponent.value, _checked_degree(base.degree * int(size)))
    if base.value == 0 and exponent.value <= 0:
        raise ExpressionError("zero to the power of zero or less has no value")
    if exponent.value.q > 12 or size > 2000 or float(size) * _digits(base.value) > _MAX_RESULT_DIGITS:
        raise ExpressionError("the power is too large to compute")
    if base.value.is_negative and exponent.value.q % 2 == 1:  # the real root, as people mean it: (-8)^(1/3) is -2
        return _Node(_checked((-1) ** int(exponent.value.p) * (-base.value) ** exponent.value))
    return _Node(_checked(base.value**exponent.value))


def _digits(value: Any) -> float:
    """Bound the decimal digits that a number takes; at least a little, so that exponents are bounded for 1 too."""
    if value.is_Rational:
        return max(math.log10(max(1, abs(int(value.p)))), math.log10(int(value.q)), 0.1)
    return max(abs(math.log10(max(float(abs(value).evalf(15)), 1e-300))), 0.3)


def _checked(value: Any) -> Any:
    if value.is_Rational and max(abs(int(value.p)), int(value.q)) >= 10**_MAX_RESULT_DIGITS:
        raise ExpressionError("the number is too large to compute")
    return value


def _checked_degree(degree: int) -> int:
    if degree > _MAX_DEGREE:
        raise ExpressionError(f"powers of the unknown go up to {_MAX_DEGREE}")
    return degree
