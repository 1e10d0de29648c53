"""Every behaviour that a mathematics benchmark's rule is known for, case by case: profile, prediction, reference(s), score."""

import pytest

from maestro.scoring import PROFILES, score_response
from maestro.scoring.math_profiles import PROFILES as MATH


def scored(profile, prediction, references, options=(), **params):
    references = (references,) if isinstance(references, str) else tuple(references)
    return score_response(profile, prediction, references, options=tuple(options), params=params)


def box(text):
    return f"so \\boxed{{{text}}}."


MATH_VERIFY = [
    (box("12"), "12", 1),
    ("12", "12", 1),
    ("$12$", "13", 0),
    ("The answer is 12.", "12", 1),
    (box("2\\sqrt{3}"), "2\\sqrt{3}", 1),
    (box("\\sqrt{12}"), "2\\sqrt{3}", 1),
    (box("0.333333"), "\\frac13", 1),
    (box("0.3333"), "\\frac13", 0),
    (box("11.9999999"), "12", 0),
    (box("11.9999999"), "12.0", 1),
    (box("50\\%"), "50", 1),
    (box("50\\%"), "0.5", 1),
    (box("2,1"), "\\{1,2\\}", 1),
    (box("\\{3, 1, 2\\}"), "1, 2, 3", 1),
    (box("(2,1)"), "(1,2)", 0),
    (box("(1,2)"), "(1,2)", 1),
    (box("12 cm"), "12", 1),
    (box("12\\text{ cm}"), "12", 1),
    (box("−3"), "-3", 1),
    (box("－3"), "-3", 0),
    (box("1e3"), "1000", 0),
    (box("7."), "7", 0),
    ("\\fbox{7}", "7", 0),
    ("\\boxed{7} no, \\boxed{8}", "7", 0),
    ("\\boxed{7} no, \\boxed{8}", "8", 0),
    ("\\boxed{7} no, \\boxed{8}", "\\{7, 8\\}", 1),
    (box("5 \\text{ or } 6"), "5", 0),
    (box("\\begin{pmatrix}1\\\\2\\end{pmatrix}"), "\\begin{pmatrix}1\\\\2\\end{pmatrix}", 1),
    (box("x=5"), "5", 1),
    ("nothing here", "5", 0),
    ("<think>\\boxed{9}</think>" + box("12"), "12", 1),
    ("", "12", 0),
]
MATH_OURS = [
    (box("\\frac{1}{2}"), "0.5", 1),
    ("\\boxed 7", "7", 1),
    ("$\\boxed 7$", "7", 1),
    (box("\\frac{a}{b}"), "\\frac{a}{b}", 1),
    (box("{1}"), "1", 1),
    ("\\boxed{7} no, \\boxed{8}", "8", 1),
    ("\\boxed{7} no, \\boxed{8}", "7", 0),
    ("\\boxed{7} no, \\boxed{8", "7", 0),
    ("\\boxed{}", "7", 0),
    ("it is $x^2$ and $2x$", "2x", 1),
    ("it is \\(3+4\\)", "7", 1),
    ("first 3, then 4", "4", 1),
    ("from $5 to $14", "14", 1),
    (box("1e3"), "1000", 1),
    (box("7."), "7", 1),
    (box("－3"), "-3", 1),
    (box("−3"), "-3", 1),
    (box("90^\\circ"), "90", 1),
    (box("90°"), "90", 1),
    (box("\\$1,234"), "1234", 1),
    ("\\boxed{1{,}234}", "1234", 1),
    (box("$14"), "14", 1),
    (box("12 \\text{ cm}^2"), "12", 1),
    (box("12 square units"), "12", 1),
    (box("50\\%"), "50", 1),
    (box("50\\%"), "0.5", 1),
    (box("0.5"), "50\\%", 1),
    (box("50 percent"), "0.5", 1),
    (box("5 \\text{ or } 6"), "5", 0),
    (box("5 or 6"), "6", 0),
    (box("either 5 or 6"), "5", 0),
    (box("x=5 \\text{ or } x=6"), "x=5 \\text{ or } x=6", 1),
    (box("0.333333"), "1/3", 1),
    (box("0.3333"), "1/3", 0),
    (box("2x"), "2", 0),
    (box("\\{2,1\\}"), "\\{1,2\\}", 1),
    (box("(2,1)"), "(1,2)", 0),
    (box("-14"), "14", 0),
    ("\\fbox{8} of 9", "8", 0),
    (box("5" * 3000), "5", 0),
]
MATH_REWARD = [
    (box("7"), "7", 1),
    ("7", "7", 0),
    ("$7$", "7", 0),
    ("\\boxed{7} \\boxed{8}", "7", 0),
    ("\\boxed{7} \\boxed{8}", "8", 1),
    (box("7 or 8"), "7", 0),
    (box("7, 8"), "7", 0),
    ("\\boxed{7", "7", 0),
    (box("\\frac{14}{2}"), "7", 1),
]
MATHVISION = [
    ("The answer is B.", "B", 1),
    ("I choose (B).", "B", 1),
    ("B\nbecause", "B", 1),
    ("(B)\nbecause", "B", 1),
    ("(B) B\nbecause", "B", 1),
    ("(B) because", "B", 0),
    ("so it is 12", "12", 1),
    ("so it is 12.", "12.0", 1),
    ("The answer is 12. It was hard", "12", 1),
    ("the final answer is x+1\nsince 5", "x+1", 1),
    ("The correct answer is 7. Done", "7", 1),
    ("\\boxed{3} then \\boxed{4}", "4", 1),
    ("\\boxed{3} then \\boxed{4}", "3", 0),
    (box("3.142"), "\\pi", 1),
    (box("0.333"), "\\frac{1}{3}", 1),
    (box("0.3"), "\\frac{1}{3}", 0),
    (box("12 cm"), "12", 0),
    (box("12 \\text{km}"), "12", 1),
    (box("90^\\circ"), "90", 1),
    (box("1/2"), "0.5", 1),
    (box("x = 5"), "5", 1),
    (box("(1, 2.001)"), "(1,2)", 0),
    (box("(1, 2)"), "(1,2)", 1),
    (box("(0.5, 2)"), "(\\frac{1}{2},2)", 1),
    (box("\\text{B}"), "B", 1),
    (box("(b)"), "B", 1),
    (box("2\\sqrt{3}"), "\\sqrt{12}", 1),
    (box("import"), "5", 0),
    ("", "5", 0),
    ("   ", "5", 0),
]
GEOMETRY3K = [
    (box("5"), "5", 1),
    ("5", "5", 0),
    ("The answer is $5$", "5", 0),
    (box("5.0"), "5", 1),
    (box("\\frac{10}{2}"), "5", 0),
    (box("6/8"), "3/4", 0),
    (box("\\frac{6}{8}"), "\\frac{3}{4}", 0),
    (box("0.75"), "\\frac{3}{4}", 1),
    (box("−3"), "-3", 0),
    (box("\\{2,1\\}"), "\\{1,2\\}", 0),
    (box("50\\%"), "50", 1),
    (box("50\\%"), "0.5", 0),
    (box("5 \\text{ or } 6"), "5", 1),
    (box("2 \\sqrt { 3 }"), "2\\sqrt{3}", 1),
    (box("\\sqrt{12}"), "2 \\sqrt { 3 }", 1),
    (box("5\\text{ cm}"), "5", 1),
    (box("90^\\circ"), "90", 1),
    (box("1,234"), "1234", 1),
    (box("x+1"), "1+x", 1),
    (box("(1,2]"), "(1,2]", 1),
    (box("(1,2)"), "(1,2]", 0),
    ("\\boxed{4} \\boxed{5}", "5", 1),
    ("\\boxed{4} \\boxed{5}", "4", 0),
    ("\\boxed{5", "5", 0),
    (box("9^{9^{9}}"), "x", 0),
]
GEOMETRY3K_VERL = [
    ("<think>t</think>" + box("5"), "5", 1.0),
    (box("5"), "5", 0.9),
    ("<think>t</think>" + box("6"), "5", 0.1),
    ("<think>t</think> 5", "5", 0.0),
    (" <think>t</think>" + box("5"), "5", 0.9),
    ("<think>\\boxed{5}</think> five", "5", 0.9),
    ("<think>no end " + box("5"), "5", 0.9),
    ("<think>a\nb</think>\nso\n" + box("\\frac{1}{2}") + "\n!", "0.5", 1.0),
    (box("7"), "5", 0.0),
]
OPTIONS = ("5", "2\\sqrt{3}", "12", "13.5")
GEOMETRY3K_CHOICE = [
    ("B", "B", 1),
    ("b", "B", 1),
    ("(B)", "B", 1),
    (box("B"), "B", 1),
    ("The answer is B", "B", 1),
    ("The answer is A", "B", 0),
    ("B", "1", 1),
    ("B", "2\\sqrt{3}", 1),
    ("B", ("B", "2\\sqrt{3}"), 1),
    (box("3.46"), "B", 1),
    (box("3.5"), "B", 1),
    (box("12.6"), "C", 1),
    (box("12.75"), "C", 1),
    (box("12.75"), "D", 1),
    (box("12.8"), "C", 0),
    (box("\\frac{27}{2}"), "D", 1),
    ("x = 12", "C", 1),
    ("The length of A to C is 12", "C", 1),
    ("I would say B", "B", 1),
    ("A or B", "B", 0),
    ("no idea", "A", 0),
    ("9" * 400, "A", 0),
    (box("1e300"), "A", 0),
    ("", "A", 0),
]
MATHVERSE = [
    ("12", "12", 1),
    ("B", "B", 1),
    ("The answer is B.", "B", 1),
    ("The answer is A.", "B", 0),
    (box("\\frac{1}{2}"), "0.5", 1),
    ("It is about 7", "8", 0),
]
TABLES = {
    "math_verify": MATH_VERIFY,
    "math": MATH_OURS,
    "math_reward": MATH_REWARD,
    "mathvision": MATHVISION,
    "geometry3k": GEOMETRY3K,
    "geometry3k_verl": GEOMETRY3K_VERL,
    "mathverse": MATHVERSE,
}


@pytest.mark.parametrize(
    ("profile", "prediction", "reference", "wanted"), [(name, *case) for name, cases in TABLES.items() for case in cases]
)
def test_case(profile, prediction, reference, wanted):
    result = scored(profile, prediction, reference)
    assert result.score == pytest.approx(wanted), result


@pytest.mark.parametrize(("prediction", "reference", "wanted"), GEOMETRY3K_CHOICE)
def test_geometry3k_choice(prediction, reference, wanted):
    result = scored("geometry3k_choice", prediction, reference, OPTIONS)
    assert result.score == wanted, result


def test_a_number_is_not_placed_among_options_without_a_value():
    assert scored("geometry3k_choice", box("5.1"), "A", ("5", "not given", "x", "7")).score == 0
    assert scored("geometry3k_choice", box("5"), "A", ("5", "not given", "x", "7")).score == 1
    assert scored("geometry3k_choice", "A", "A", ("5", "not given", "x", "7")).score == 1


@pytest.mark.parametrize("gold", ["B", "b"])
def test_mathvision_counts_the_letter_and_what_it_stands_for(gold):
    for prediction, wanted in ((box("0.5"), 1), (box("B"), 1), (box("\\frac{1}{2}"), 1), (box("3"), 0), (box("A"), 0)):
        assert scored("mathvision", prediction, gold, ("3", "\\frac{1}{2}", "7")).score == wanted, prediction
    assert scored("mathvision", box("12"), "E", ("3",)).score == 0


def test_any_reference_counts():
    for profile in ("math", "math_verify", "mathvision", "geometry3k"):
        assert scored(profile, box("\\frac{1}{2}"), ("7", "0.5")).score == 1, profile


def test_a_reply_that_is_the_reference_needs_no_box():
    assert scored("math", "24+4\\pi", "24+4\\pi").score == 1
    assert scored("math", "24+4", "24+4\\pi").score == 0


def test_options_of_the_math_rule():
    assert scored("math", "\\fbox{8} of 9", "8", fbox=True).score == 1
    assert scored("math", box("3.14"), "3.15", tolerance=0.02).score == 1


def test_the_answer_that_decided_is_told():
    result = scored("math", "\\boxed{7} no, \\boxed{ 8 }", "8")
    assert (result.extracted, result.rule) == ("8", "math")
    assert "several answers" in scored("math", box("5 or 6"), "5").reason
    assert scored("geometry3k", "5", "5").reason == "no box that is closed"


def test_every_profile_says_whose_rule_it_is():
    assert {name: PROFILES[name] for name in MATH} == MATH
    assert all(profile.origin for profile in MATH.values())
