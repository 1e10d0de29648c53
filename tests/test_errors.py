from maestro.errors import not_found


def test_lookup_message_says_asked_near_existing_and_next():
    message = not_found("expert", "Page-Tesserakt", ["sparse-tesseract", "page-tesseract"], "Look here.")
    assert message == (
        "no expert 'Page-Tesserakt'; did you mean page-tesseract or sparse-tesseract? There is page-tesseract, sparse-tesseract. Look here."
    )


def test_lookup_message_without_anything_near_or_at_all():
    assert not_found("skill", "zzz", ["read"]) == "no skill 'zzz'; there is read."
    assert not_found("skill", "zzz", []) == "no skill 'zzz'; there is no skill at all."


def test_long_lists_are_cut():
    message = not_found("skill", "zzz", [f"skill-{n}" for n in range(60)])
    assert message.endswith("and 20 more.")


def test_behind_a_near_name_a_long_list_is_only_counted():
    message = not_found("skill", "skil-7", [f"skill-{n}" for n in range(60)], "See the list.")
    assert "did you mean skill-7" in message
    assert "skill-33" not in message
    assert message.endswith("There are 60 in all. See the list.")


def test_three_near_names_are_a_list():
    near = not_found("policy", "mini-x", ["mini-a", "mini-b", "mini-c"]).split("did you mean ")[1].split("?")[0]
    assert near.count(", ") == 1
    assert near.count(" or ") == 1
