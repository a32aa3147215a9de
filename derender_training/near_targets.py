"""Cross-entropy with targets that know distance: a coordinate near the true one is less wrong than a far one."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from modeling_derender.coordinate_tokens import find_coordinate_tokens
from modeling_derender.language import Language
from modeling_derender.processing_derender import IGNORED_LABEL


WIDTH = 3  # deviations at which the targets end


class NearTargets:
    """The targets of each token: a coordinate's share is normal around it with the deviation `spread`, in its units.

    Coordinates are what the language's points name. Every other token is its own target. At the ends of the
    coordinates' domain what lies beyond is left out, and the shares add up to 1 all the same.
    """

    def __init__(self, language: Language, spread: float, device: torch.device):
        reach = math.ceil(WIDTH * spread)
        offsets = torch.arange(-reach, reach + 1)
        tokens = torch.arange(language.vocab_size)[:, None].repeat(1, len(offsets))
        shares = (offsets == 0).double().repeat(language.vocab_size, 1)
        for first, last, _ in find_coordinate_tokens(language):
            near = torch.arange(first, last + 1)[:, None] + offsets
            inside = (near >= first) & (near <= last)
            own = torch.exp(-0.5 * (offsets / spread).double() ** 2) * inside
            tokens[first : last + 1] = near.clamp(first, last)
            shares[first : last + 1] = own / own.sum(1, keepdim=True)
        self.tokens, self.shares = tokens.to(device), shares.float().to(device)

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The mean over the labels (B, T) that count, -100 being those that do not, of `logits` (B, T, V)."""
        counts = labels != IGNORED_LABEL
        known = labels.clamp(min=0)
        log_probs = logits.float().log_softmax(-1)
        each = (log_probs.gather(-1, self.tokens[known]) * self.shares[known]).sum(-1)
        return -(each * counts).sum() / counts.sum()
