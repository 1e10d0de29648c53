"""The `algebra-solver` expert: exact arithmetic, and equations in one unknown."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from maestro.ensembles.playground.experts.expression import ExpressionError, Parsed, parse
from maestro.ensembles.playground.experts.wording import candidates
from maestro.experts.protocol import Pixels

_MAX_TEXT_CHARACTERS = 2000
_DECIMALS = 4


class AlgebraSolver:
    """One operation, `solve`. It answers also when it cannot: with a reason instead of a value."""

    def do_solve(self, images: list[Pixels], text: str) -> dict[str, Any]:
        """Evaluate an expression or solve an equation, given plainly or inside a worded question.

        Replies `{"value", "values", "kind", "expression", "plain", "reason"}`: `value` is the number (several solutions are
        joined by commas) as a person writes it, or null with a `reason`; `kind` is arithmetic or equation; `plain` says that
        the text was nothing but the expression. Raises ValueError for what is no text or far too long.
        """
        del images
        if not isinstance(text, str) or not text.strip():
            raise ValueError("there is nothing to solve")
        if len(text) > _MAX_TEXT_CHARACTERS:
            raise ValueError(f"the text has {len(text)} characters; at most {_MAX_TEXT_CHARACTERS} are read")
        reason = ""
        bare = re.sub(r"\s*=?\s*[?.!]*\s*$", "", text.strip())
        for index, piece in enumerate([bare, *candidates(text)]):
            try:
                parsed = parse(piece)
                values = _values(parsed)
            except ExpressionError as error:
                # Of a worded question the text as a whole is no expression; what its best piece lacks says more.
                reason = str(error) if index <= 1 else reason
                continue
            shown = [written(value) for value in values]
            kind = "arithmetic" if parsed.unknown is None else "equation"
            return {"value": ", ".join(shown), "values": shown, "kind": kind, "expression": piece, "plain": index == 0, "reason": ""}
        return {"value": None, "values": [], "kind": None, "expression": "", "plain": False, "reason": reason}


def _values(parsed: Parsed) -> list[Any]:
    """The value of an expression, or the real solutions of an equation in ascending order. Raises ExpressionError."""
    if parsed.unknown is None:
        # "3 + 4 = 7" asks for nothing unknown; its left side is what was to be computed.
        return [_real(parsed.left)]
    if parsed.right is None:
        raise ExpressionError(f"{parsed.unknown} is unknown and there is no equation for it")
    return _solutions(parsed)


def _real(value: Any) -> Any:
    if not value.is_real:
        raise ExpressionError("it has no real value")
    return value


def _solutions(parsed: Parsed) -> list[Any]:
    import sympy

    unknown = sympy.Symbol(parsed.unknown)
    numerator, denominator = sympy.fraction(sympy.together(parsed.left - parsed.right))
    try:
        polynomial = sympy.Poly(numerator, unknown)
    except sympy.PolynomialError as error:
        raise ExpressionError("the equation is of a kind that is not solved here") from error
    if polynomial.is_zero:
        raise ExpressionError(f"every {parsed.unknown} solves it")
    if polynomial.degree() == 0:
        raise ExpressionError(f"no {parsed.unknown} solves it")
    if polynomial.degree() <= 2:
        roots = sympy.roots(polynomial, unknown, multiple=True)
    elif all(coefficient.is_Rational for coefficient in polynomial.all_coeffs()):
        roots = sympy.real_roots(polynomial)
    else:
        raise ExpressionError("the equation is of a kind that is not solved here")
    real = {root for root in roots if root.is_real and sympy.simplify(denominator.subs(unknown, root)) != 0}
    if not real:
        raise ExpressionError("it has no real solution")
    return sorted(real, key=lambda root: root.evalf(30))


def written(value: Any) -> str:
    """A real number as a person writes it: whole, or with at most four decimals (four significant ones when it is tiny)."""
    if value.is_Integer:
        return str(int(value))
    with localcontext() as context:
        context.prec = 240
        exact = Decimal(int(value.p)) / Decimal(int(value.q)) if value.is_Rational else Decimal(str(value.evalf(60)))
        decimals = _DECIMALS
        if exact and abs(exact) < Decimal("0.001"):
            decimals = 3 - exact.adjusted()
        text = f"{exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP):f}"
    text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
