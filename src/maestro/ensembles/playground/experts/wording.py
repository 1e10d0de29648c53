"""Arithmetic in words: "What is 17 times 23?", "add 4 and 9", "half of 30" become expressions.

A question is rewritten step by step (number words, phrases, operator words); what remains of it that can be an expression
is found as the longest run without foreign words.
"""

from __future__ import annotations

import re

_UNITS = """zero one two three four five six seven eight nine ten
    eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = {name: index for index, name in enumerate(_UNITS.split())} | {name: 10 * index for index, name in enumerate(_TENS.split(), 2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_SMALL_NUMBER = rf"(?:(?:{_TENS.replace(' ', '|')})(?:[\s-]+(?:one|two|three|four|five|six|seven|eight|nine))?|(?:{'|'.join(_SMALL)}))\b"
_SCALED = rf"(?:{'|'.join(_SCALES)})\b(?:\s+(?:{'|'.join(_SCALES)})\b)*(?:\s+(?:and\s+)?{_SMALL_NUMBER})?"
_NUMBER_WORDS = re.compile(rf"\b(?:{_SMALL_NUMBER}(?:\s+{_SCALED})*|(?:a\s+)?{_SCALED}(?:\s+{_SCALED})*)", re.IGNORECASE)
_N = r"(-?[\d.,]*\d%?|\((?:[^()]|\([^()]*\))*\))"
"""A number or a bracket, as an operand of a phrase."""
_NAMED = r"(?:sum|product|square|cube|difference|quotient|root|average|mean)"
_LIST = rf"{_N}((?:\s*(?:,|\band\b|,\s*and\b)\s*{_N})+)"

_LISTS = (
    (rf"\b(?:sum|total)\s+of\s+{_LIST}", "+"),
    (rf"\bproduct\s+of\s+{_LIST}", "*"),
    (rf"\badd(?:ing)?\s+(?:up\s+|together\s+)?{_LIST}", "+"),
)
_PHRASES: tuple[tuple[str, str], ...] = (
    (rf"\bsubtract(?:ing)?\s+{_N}\s+from\s+{_N}", r"(\2 - \1)"),
    (rf"\btake\s+{_N}\s+(?:away\s+)?from\s+{_N}", r"(\2 - \1)"),
    (rf"\b{_N}\s+(?:is\s+)?subtracted\s+from\s+{_N}", r"(\2 - \1)"),
    (rf"\b{_N}\s+less\s+than\s+{_N}", r"(\2 - \1)"),
    (rf"\b{_N}\s+more\s+than\s+{_N}", r"(\2 + \1)"),
    (rf"\bdifference\s+(?:between|of)\s+{_N}\s+and\s+{_N}", r"abs(\1 - \2)"),
    (rf"\b(?:quotient|ratio)\s+(?:of|between)\s+{_N}\s+(?:and|to|by)\s+{_N}", r"(\1 / \2)"),
    (rf"\bdivid(?:e|ing)\s+{_N}\s+by\s+{_N}", r"(\1 / \2)"),
    (rf"\bmultipl(?:y|ying)\s+{_N}\s+(?:by|with|and|times)\s+{_N}", r"(\1 * \2)"),
    (rf"\badd(?:ing)?\s+{_N}\s+(?:to|with)\s+{_N}", r"(\2 + \1)"),
    (rf"\bremainder\s+(?:of|when|after|from)\s+(?:dividing\s+)?{_N}\s+(?:is\s+)?(?:divided\s+)?by\s+{_N}", r"(\1 mod \2)"),
    (rf"\b(?:half|one half)\s+of\s+{_N}", r"(\1 / 2)"),
    (rf"\b(?:a|one)\s+third\s+of\s+{_N}", r"(\1 / 3)"),
    (rf"\b(?:a|one)\s+(?:quarter|fourth)\s+of\s+{_N}", r"(\1 / 4)"),
    (rf"\b(?:3|three)\s+(?:quarters|fourths)\s+of\s+{_N}", r"(\1 * 3 / 4)"),
    (rf"\b(?:double|twice)\s+(?:of\s+)?{_N}", r"(2 * \1)"),
    (rf"\b(?:triple|thrice)\s+(?:of\s+)?{_N}", r"(3 * \1)"),
    (rf"\bsquare\s+root\s+of\s+{_N}", r"sqrt(\1)"),
    (rf"\broot\s+of\s+{_N}", r"sqrt(\1)"),
    (rf"\bsquare\s+of\s+{_N}", r"(\1)^2"),
    (rf"\bcube\s+of\s+{_N}", r"(\1)^3"),
    (rf"\b{_N}\s*%\s+off\s+(?:of\s+)?{_N}", r"(\2 - \1%)"),
)
_OPERATORS: tuple[tuple[str, str], ...] = (
    (r"\bplus\b|\badded\s+to\b|\bincreased\s+by\b", " + "),
    (r"\bminus\b|\bless\b|\bdecreased\s+by\b|\breduced\s+by\b|\btake\s+away\b", " - "),
    (r"\btimes\b|\bmultiplied\s+(?:by|with)\b", " * "),
    (r"\bdivided\s+by\b|\bover\b", " / "),
    (r"\b(?:modulo|mod)\b", " mod "),
    (r"\bto\s+the\s+power\s+(?:of\s+)?|\braised\s+to\s+(?:the\s+power\s+of\s+)?", " ^ "),
    (r"(?<=[\d)])\s+squared\b", "^2"),
    (r"(?<=[\d)])\s+cubed\b", "^3"),
    (r"(?<=[\d)%])\s+of\b(?=\s*[\d(])", " * "),
    (r"\b(?:is\s+equal\s+to|equals|equal\s+to)\b", " = "),
)
_MATH = re.compile(r"(?:(?<![a-zA-Z])(?:sqrt|abs|mod|pi|[a-zA-Z])(?![a-zA-Z])|\d{1,3}(?:,\d{3})+(?!\d)|[\d.\s+*/^%()=√π²³×÷·−–—-])+")
_OPERATION = re.compile(r"[-+*/^%=√²³×÷·−–]|sqrt|abs|mod|\d\s*[xX]\s*\d")


def numbers_from_words(text: str) -> str:
    """The text with number words as digits: "two hundred and five" becomes 205."""
    return _NUMBER_WORDS.sub(lambda match: _number(match.group()), text)


def _number(words: str) -> str:
    total = current = 0
    for word in re.findall(r"[a-z]+", words.lower()):
        if word in _SMALL:
            current += _SMALL[word]
        elif word == "hundred":
            current = max(1, current) * 100
        elif word in _SCALES:
            total += max(1, current) * _SCALES[word]
            current = 0
    return str(total + current)


def rewritten(text: str) -> str:
    """The text with arithmetic phrases as signs; other words stay."""
    text = numbers_from_words(" ".join(text.split()))
    text = re.sub(r"(?<![A-Za-z])[$€£](?=\s*\d)|(?<=\d)\s*[$€£](?![A-Za-z\d])|(?<=\d)\s*°", "", text)
    text = re.sub(r"\bper\s*cent\b|\bpercent\b", "%", text, flags=re.IGNORECASE)
    for _ in range(4):  # phrases nest: "half of the sum of 3 and 4"
        before = text
        text = re.sub(rf"\b(of|from|by|and|to|than)\s+the\s+(?={_NAMED}\b)", r"\1 ", text)
        for pattern, sign in _LISTS:
            text = re.sub(pattern, lambda match, sign=sign: _joined(match.group(), sign), text, flags=re.IGNORECASE)  # type: ignore[misc]
        text = re.sub(rf"\b(?:average|mean)\s+of\s+{_LIST}", lambda match: _averaged(match.group()), text, flags=re.IGNORECASE)
        for pattern, replacement in _PHRASES:
            text = re.sub(pattern, replacement, text, flags=re.IGNORECASE)
        if text == before:
            break
    for pattern, replacement in _OPERATORS:
        text = re.sub(pattern, replacement, text, flags=re.IGNORECASE)
    text = re.sub(r"(?<=[-+*/^=])\s+the\b", " ", text)
    # Units and nouns between a number and the next sign: "6 cm + 7 cm", "12 apples - 3".
    return re.sub(r"(?<=[\d)])\s*[A-Za-z]{2,}(?:\s+[A-Za-z]{2,})?(?=\s+[-+*/^]\s)", "", text)


def _operands(phrase: str) -> list[str]:
    return [match.group().rstrip(",.") for match in re.finditer(_N, phrase)]


def _joined(phrase: str, sign: str) -> str:
    return f"({f' {sign} '.join(_operands(phrase))})"


def _averaged(phrase: str) -> str:
    operands = _operands(phrase)
    return f"(({' + '.join(operands)}) / {len(operands)})"


def candidates(text: str) -> list[str]:
    """Pieces of a worded question that may be an expression or equation, most promising first: equations, then the longest."""
    found = []
    text = rewritten(text)
    for match in _MATH.finditer(text):
        if match.group()[0].isdigit() and re.search(r"\d[.,]$", text[: match.start()]):
            continue  # the tail of a number that was not understood: 1.234.567,89
        piece = match.group().strip().rstrip(".=").lstrip(".=").strip()
        while (trimmed := re.sub(r"^[a-zA-Z]\s+(?=[\da-zA-Z(])|(?<=[\d)a-zA-Z])\s+[a-zA-Z]$", "", piece).strip()) != piece:
            piece = trimmed  # "a 3 + 4": an article is no unknown
        # A piece that begins with a sign lost what stood before it; better no answer than half of one.
        whole = re.search(r"\d", piece) and not re.match(r"[+*/^]|-\s", piece)
        if whole and _OPERATION.search(piece.removeprefix("-")):
            found.append(piece)
    return sorted(found, key=lambda piece: ("=" not in piece or not re.search(r"[a-zA-Z]", piece), -len(piece)))
