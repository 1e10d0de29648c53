"""The commits that data sets are pinned to, and what is said where there is none."""

import json
import re

import pytest

from maestro.tasks.benchmarks.catalogue import BENCHMARKS
from maestro.tasks.benchmarks.revision import RECORD, UNPINNED
from tests.tasks.benchmarks.hub_server import COMMIT, hub_server

TABLE = {"tallyqa_data.tsv": b"index\timage\tquestion\tanswer\n"}
CHARTS = {"data/test-00000-of-00001.parquet": b""}
CHARTQA = BENCHMARKS["chartqa"].hub
WITHOUT = {"geometry3k_choice", "humaneval_v", "microvqa", "msearth", "pixmo_count", "tallyqa", "vlms_are_blind"}
"""Those of which no commit is known that somebody has used."""


def test_every_pin_is_a_whole_commit():
    pins = [hub.pin(name) for hub in (known.hub for known in BENCHMARKS.values()) for name in (hub.dataset, *hub.mirrors)]
    assert all(re.fullmatch(r"[0-9a-f]{40}", pin) for pin in pins if pin is not None)
    assert {name for name, known in BENCHMARKS.items() if known.hub.revision is None} == WITHOUT


def test_the_pinned_commit_is_fetched_unless_another_revision_is_asked_for(maestro, tmp_path):
    with hub_server(CHARTQA.dataset, CHARTS, commits=(COMMIT, CHARTQA.revision)) as (address, asked):
        code, said, told = maestro(address, "tasks", "download", "chartqa", "--out", str(tmp_path / "pinned"))
        assert (code, "the pinned commit" in told) == (0, True), told
        assert f"/api/datasets/{CHARTQA.dataset}/revision/{CHARTQA.revision}" in asked
        assert f"?revision={CHARTQA.revision}" in said
        code, _, told = maestro(address, "tasks", "download", "chartqa", "--out", str(tmp_path / "newest"), "--revision", "main")
        assert (code, f"not the pinned commit, which is {CHARTQA.revision}" in told) == (0, True), told
    commits = {name: json.loads((tmp_path / name / RECORD).read_text())["commit"] for name in ("pinned", "newest")}
    assert commits == {"pinned": CHARTQA.revision, "newest": COMMIT}


@pytest.mark.parametrize(("asked", "dataset"), [((), "moondream/TallyQA-VLMEvalKit"), (("--dataset", "some/body"), "some/body")])
def test_a_data_set_without_a_pin_says_so(maestro, asked, dataset):
    with hub_server(dataset, TABLE) as (address, _):
        code, said, _ = maestro(address, "tasks", "download", "tallyqa", "--dry-run", *asked)
        assert (code, f"{dataset} at {COMMIT}" in said, UNPINNED in said) == (0, True, True)
        _, said, _ = maestro(address, "tasks", "download", "tallyqa", "--dry-run", "--json", *asked)
    assert (json.loads(said)["commit"], json.loads(said)["pin"]) == (COMMIT, None)


def test_a_mirror_is_pinned_to_a_commit_of_its_own(maestro):
    mirror, pin = next(iter(CHARTQA.mirrors.items()))
    with hub_server(mirror, CHARTS, commits=(COMMIT, pin)) as (address, _):
        code, said, _ = maestro(address, "tasks", "download", "chartqa", "--dataset", mirror, "--dry-run")
    assert (code, f"{mirror} at {pin}" in said, "the pinned commit" in said) == (0, True, True)


def test_a_data_set_that_has_moved_is_found_under_its_new_name(maestro, tmp_path):
    hub = BENCHMARKS["docvqa"].hub
    files = {"DocVQA/validation-00000-of-00001.parquet": b"rows", "InfographicVQA/test-00000-of-00001.parquet": b""}
    with hub_server("lmms-lab-encoder/DocVQA", files, commits=(COMMIT, hub.revision), moved=hub.dataset) as (address, _):
        code, _, told = maestro(address, "tasks", "download", "docvqa", "--out", str(tmp_path))
    assert code == 0, told
    assert (tmp_path / "DocVQA" / "validation-00000-of-00001.parquet").read_bytes() == b"rows"
    assert not (tmp_path / "InfographicVQA").exists()


def test_a_pin_that_the_hub_does_not_have_is_told_with_a_way_out(maestro, tmp_path):
    with hub_server(CHARTQA.dataset, CHARTS) as (address, _):
        code, _, told = maestro(address, "tasks", "download", "chartqa", "--out", str(tmp_path))
    assert (code, list(tmp_path.iterdir())) == (1, [])
    assert f"has no commit {CHARTQA.revision}, which it is pinned to here" in told
    assert "--revision main" in told


def test_the_catalogue_shows_what_is_pinned(maestro):
    _, said, _ = maestro("http://127.0.0.1:9", "tasks", "list")
    assert CHARTQA.revision[:8] in said
    assert UNPINNED.partition(":")[0] in said
    _, said, _ = maestro("http://127.0.0.1:9", "tasks", "list", "--json")
    found = {row["name"]: row for row in json.loads(said)["benchmarks"]}
    assert (found["chartqa"]["revision"], found["chartqa"]["mirrors"]) == (CHARTQA.revision, CHARTQA.mirrors)
    assert found["tallyqa"]["revision"] is None


@pytest.mark.parametrize(
    ("commit", "said"), [(BENCHMARKS["slake"].hub.revision, "the pinned commit"), (COMMIT, "not the pinned commit, which is ")]
)
def test_showing_tasks_says_whether_they_are_of_the_pinned_commit(maestro, folders, tmp_path, commit, said):
    for path in (folders / "slake").iterdir():
        (tmp_path / path.name).symlink_to(path)
    record = {"benchmark": "slake", "dataset": "BoKelvin/SLAKE", "commit": commit, "date": "2026-01-01T00:00:00+00:00"}
    (tmp_path / RECORD).write_text(json.dumps(record))
    code, shown, _ = maestro("http://127.0.0.1:9", "tasks", "show", f"slake:{tmp_path}")
    assert (code, f"at {commit} ({said}" in shown.replace("\n", "")) == (0, True), shown


def test_without_internet_the_command_for_elsewhere_names_the_pin(maestro):
    code, _, told = maestro("http://127.0.0.1:9", "tasks", "show", "chartqa")
    assert (code, f"--repo-type dataset --revision {CHARTQA.revision} --local-dir chartqa" in told) == (1, True)
