"""The pictures of a batch: which of them are the same, and one look at each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Pictures:
    """Pictures in the order of their placeholders, equal ones known as such."""

    pixels: torch.Tensor
    """(patches, width) of the different ones."""
    firsts: torch.Tensor
    """(different,): the first picture that looks like this."""
    slots: torch.Tensor
    """(placeholders,): which of the different pictures a placeholder belongs to."""
    features: torch.Tensor
    """(placeholders,): which of the features of the different pictures it stands for."""

    @classmethod
    def sort(cls, pixels: torch.Tensor, grids: torch.Tensor, merged: int) -> Pictures:
        """From `pixels` (patches, width) and `grids` (pictures, 3) of all; a feature is made of `merged` patches."""
        pieces = torch.split(pixels, grids.prod(-1).tolist())
        firsts: list[int] = []
        which: list[int] = []
        candidates: dict[tuple[float, ...], list[int]] = {}
        for index, (piece, sum_) in enumerate(zip(pieces, _sums(pieces), strict=True)):
            # A checksum finds candidates, comparison of the pixels decides.
            alike = candidates.setdefault((*grids[index].tolist(), sum_), [])
            found = next((slot for slot in alike if torch.equal(pieces[firsts[slot]], piece)), None)
            if found is None:
                found = len(firsts)
                firsts.append(index)
                alike.append(found)
            which.append(found)
        sizes = [len(pieces[index]) // merged for index in firsts]
        starts = [sum(sizes[:slot]) for slot in range(len(sizes))]
        device = pixels.device
        slots = torch.tensor(which, device=device).repeat_interleave(torch.tensor([sizes[slot] for slot in which], device=device))
        features = torch.cat([torch.arange(starts[slot], starts[slot] + sizes[slot], device=device) for slot in which])
        return cls(torch.cat([pieces[index] for index in firsts]), torch.tensor(firsts, device=device), slots, features)


def look(core: Any, pictures: Pictures, grids: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Features (features, width) of the different pictures, and those of the deep stack; each goes through the tower once."""
    output = core.get_image_features(pictures.pixels, grids[pictures.firsts], return_dict=True)
    return torch.cat(list(output.pooler_output)), list(output.deepstack_features)


def _sums(pieces: tuple[torch.Tensor, ...]) -> list[float]:
    """The checksums of all pictures; brought from the device in one go."""
    sums: list[float] = torch.stack([piece.double().sum() for piece in pieces]).tolist()
    return sums
