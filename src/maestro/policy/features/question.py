"""Frozen features of a question: hashed words and letter trigrams."""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

SIZE = 1024
"""Buckets; features that fall into the same one add up."""
_WORD = re.compile(r"[a-z]+|\d+|[^\sa-z\d]")


def question_vector(text: str) -> NDArray[np.float32]:
    """Unit vector of shape (SIZE,): log counts of words, word pairs and letter trigrams; every number is the same word."""
    words = ["#" if word.isdigit() else word for word in _WORD.findall(text.casefold())]
    counts: Counter[str] = Counter(words)
    counts.update(f"{first} {second}" for first, second in pairwise(words))
    counts.update(f" {word} "[i : i + 3] for word in words if len(word) > 2 for i in range(len(word)))
    vector = np.zeros(SIZE, dtype=np.float32)
    for feature, count in counts.items():
        bucket = zlib.crc32(feature.encode())
        vector[bucket % SIZE] += (1.0 if bucket & 0x40000000 else -1.0) * (1.0 + math.log(count))
    norm = float(np.linalg.norm(vector))
    return vector / norm if norm else vector
