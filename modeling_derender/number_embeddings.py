"""Token embeddings that begin with near numbers near each other, for languages with many coordinates."""

from __future__ import annotations

import math

import torch

from .language import Language


SHORTEST_WAVE = 4.0  # in steps of the numbers
RANDOM_SHARE = 0.5  # of the variance, by which equal numbers of different domains differ


def number_codes(language: Language, width: int) -> tuple[list[int], torch.Tensor]:
    """Sinusoidal codes of the words that stand for a number alone: their token ids and float32 (N, `width`).

    The codes have variance 1/2 a dimension. Their wavelengths go, in equal ratios, from a few steps to four times the
    domain's extent, so the inner product of two codes falls off smoothly with the numbers' distance.
    """
    ids, codes = [], [torch.empty(0, width)]
    for domain in language.single_domains:
        if domain.kind == "integer":
            ids += [language.token_ids[word] for word in domain.words]
            codes.append(_encode(torch.arange(len(domain.words)), 4 * len(domain.values), width))
    return ids, torch.cat(codes)


def _encode(steps: torch.Tensor, longest: float, width: int) -> torch.Tensor:
    share = torch.linspace(0, 1, width // 2)
    waves = SHORTEST_WAVE * (longest / SHORTEST_WAVE) ** share
    angles = steps[:, None] * (2 * math.pi / waves)
    return torch.cat((angles.sin(), angles.cos()), dim=1)


def arrange_numbers(table: torch.Tensor, language: Language) -> torch.Tensor:
    """A copy of a random embedding `table` (V, D) in which the numbers' rows are mostly their codes, scaled alike."""
    ids, codes = number_codes(language, table.shape[1])
    arranged = table.detach().clone()
    scale = table.std() * math.sqrt(2 * (1 - RANDOM_SHARE))
    arranged[ids] = arranged[ids] * math.sqrt(RANDOM_SHARE) + codes.to(table) * scale
    return arranged
