import pytest

from maestro.tasks.opening import file_source
from maestro.tasks.problems import BrokenRows
from tests.tasks.rows import encoded, picture, write_jsonl, write_parquet


def load(path, images):
    return file_source(path).load("all", None, images)


CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]
PARTS = [{"role": "user", "content": [{"type": "image", "text": None}, {"type": "text", "text": "Why?"}]}]


@pytest.mark.parametrize("prompt", ["Why?", CHAT, PARTS])
@pytest.mark.parametrize("answer", ["answer", "solution", "ground_truth"])
def test_prompts_as_text_chat_and_parts(tmp_path, images, prompt, answer):
    row = {"prompt": prompt, "images": [{"bytes": encoded(picture()), "path": None}], answer: "because", "difficulty": 3}
    (task,) = load(write_parquet(tmp_path / "t.parquet", [row]), images)
    assert (task.question, task.references, task.id) == ("Why?", ("because",), "t/all/1")
    assert images.pixels(task.images[0]).size == (12, 8)


def test_jsonl_with_paths(tmp_path, images):
    picture().save(tmp_path / "a.png")
    path = write_jsonl(tmp_path / "t.jsonl", [{"prompt": CHAT, "image": "a.png", "answer": 5}, {"prompt": "Text only?", "answer": "x"}])
    first, second = load(path, images)
    assert (first.references, len(first.images), second.images) == (("5",), 1, ())


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"prompt": "  "}, "prompt: is empty"),
        ({"prompt": []}, "prompt: has 0 user messages"),
        ({"prompt": [{"role": "user", "content": ""}]}, "prompt: has an empty user message"),
        ({"prompt": [*CHAT, *CHAT]}, "prompt: has 2 user messages"),
        ({"prompt": [{"role": "assistant", "content": "x"}, *CHAT]}, "prompt[0].role: is 'assistant'"),
        ({"prompt": PARTS}, "prompt: has 1 image parts for 0 images"),
        ({"prompt": [{"role": "user", "content": [{"type": "video"}]}]}, "prompt[0].content: has parts of type video"),
        ({"prompt": [{"role": "user", "content": 3}]}, "prompt[0].content: must be text or a list of parts"),
        ({"prompt": ["hello"]}, "prompt[0]: must be a message"),
        ({"prompt": "Q", "params": "{"}, "params: is no JSON"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, images, row, told):
    with pytest.raises(BrokenRows) as caught:
        load(write_jsonl(tmp_path / "t.jsonl", [row]), images)
    assert told in str(caught.value)
