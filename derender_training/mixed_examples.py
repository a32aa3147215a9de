"""Two streams of examples in one, so much of each."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch.utils.data import Dataset


class MixedExamples(Dataset):
    """Example i is that of `first` or of `second`, evenly mixed: of any n in a row, n * `share` or the
    next integer to it are of `first`.
    """

    def __init__(self, first: Sequence[dict], second: Sequence[dict], share: float):
        self.first, self.second, self.share = first, second, share

    def is_first(self, index: int) -> bool:
        return math.floor((index + 1) * self.share) > math.floor(index * self.share)

    def __len__(self) -> int:
        return min(len(self.first), len(self.second))

    def __getitem__(self, index: int) -> dict:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: list[int]) -> list[dict]:
        """Each stream is asked once, for all of its own, where there are any: not every renderer draws none."""
        examples = {}
        for stream, is_first in ((self.first, True), (self.second, False)):
            if own := [index for index in indices if self.is_first(index) == is_first]:
                examples |= zip(own, stream.__getitems__(own), strict=True)
        return [examples[index] for index in indices]
