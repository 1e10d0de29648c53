"""The shipped forest: its file, its arithmetic, and that it is what the training code makes."""

import numpy as np
import pytest

pytest.importorskip("cv2")

from maestro.ensembles.playground.experts import forest_training
from maestro.ensembles.playground.experts.forest import Forest


def test_the_shipped_file_is_small_and_holds_no_pickle():
    assert forest_training.FOREST_FILE.stat().st_size < 1_000_000
    forest = Forest.load(forest_training.FOREST_FILE)
    assert forest.classes == forest_training.CLASSES


def test_probabilities_sum_to_one_and_name_drawn_blobs():
    import random

    rng = random.Random("unseen blobs")
    labels, rows = [], []
    while len(rows) < 200:
        label = rng.choice(forest_training.CLASSES)
        drawn = forest_training.draw_blob(rng, label)
        if drawn is not None:
            labels.append(label)
            rows.append(drawn)
    forest = Forest.load(forest_training.FOREST_FILE)
    probabilities = forest.predict(np.stack(rows))
    assert np.allclose(probabilities.sum(axis=1), 1, atol=0.01)
    named = [forest.classes[index] for index in probabilities.argmax(axis=1)]
    assert np.mean([a == b for a, b in zip(named, labels, strict=True)]) > 0.8


def test_numpy_evaluation_equals_scikit_learn(tmp_path):
    ensemble = pytest.importorskip("sklearn.ensemble")
    random = np.random.default_rng(3)
    rows = random.normal(size=(400, 6)).astype(np.float32)
    labels = (rows[:, 0] + rows[:, 1] > 0).astype(int) + (rows[:, 2] > 1)
    model = ensemble.ExtraTreesClassifier(7, max_leaf_nodes=20, random_state=1).fit(rows, labels)
    forest = forest_training.flattened(("a", "b", "c"), [tree.tree_ for tree in model.estimators_])
    forest.save(tmp_path / "forest.npz")
    again = Forest.load(tmp_path / "forest.npz")
    assert np.allclose(again.predict(rows), model.predict_proba(rows), atol=2e-3)


@pytest.mark.slow
def test_training_is_repeatable():
    pytest.importorskip("sklearn")
    first, second = (forest_training.train_forest(samples=150, trees=3) for _ in range(2))
    assert np.array_equal(first.threshold, second.threshold)
    assert np.array_equal(first.probabilities, second.probabilities)
