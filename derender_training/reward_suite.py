"""All rewards of a roll-out: its objects beside the true ones, and its pictures, drawn once, beside the targets."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from derender_training.drawing import draw_readings
from derender_training.options import OptionError, check_entries
from modeling_derender.image_rewards import blur_reward, bucket_reward
from modeling_derender.language import Language
from modeling_derender.rewards import InferenceReward, iou_reward
from modeling_derender.rollout import Rollout
from modeling_derender.specification import ids_to_objects


BLUR_OPTIONS = {"blur": 0.3, "scale": 1.0}
LOWEST = 0.0  # no form of the image reward is below


@dataclass(frozen=True)
class Rewarded:
    """The `rewards` (R,) of each row by name; how many rows could not be drawn; seconds of drawing and of the rest."""

    rewards: dict[str, Tensor]
    not_drawn: int
    render_seconds: float
    reward_seconds: float


class RewardSuite:
    """The rewards `names` of a language, pictures drawn at `size` (height, width) by `draw`, its `render_batch`.

    `form` is "buckets" or "blurred" and `options` are the blurred form's. Raises OptionError for a form or options
    that do not fit the language.
    """

    def __init__(
        self,
        names: Sequence[str],
        language: Language,
        draw: Callable,
        size: tuple[int, int],
        form: str = "buckets",
        options: dict | None = None,
        device: torch.device | str = "cpu",
    ):
        self.names, self.language, self.draw, self.size = tuple(names), language, draw, tuple(size)
        self._compare = _find_form(language, form, options or {})
        self._inference = InferenceReward(language, device) if "inference" in names else None

    def __call__(self, rollout: Rollout, references: Tensor, targets: Tensor | None) -> Rewarded:
        """Of the images, `references` (B, M, D) are the true objects' tokens, `targets` uint8 (B, H, W[, C]).

        A row whose picture cannot be drawn has the lowest image reward; its others stay. Raises RenderError where
        nothing can be drawn.
        """
        begin, drawing, not_drawn = time.perf_counter(), 0.0, 0
        rows_an_image = len(rollout.sequences) // len(references)
        references = references.repeat_interleave(rows_an_image, dim=0)
        rewards = {}
        if "iou" in self.names:
            rewards["iou"] = iou_reward(rollout.objects, references)
        if self._inference is not None:
            rewards["inference"] = self._inference(rollout.objects, references)
        if "image" in self.names:
            before = time.perf_counter()
            drawn, fails = self._draw(rollout.sequences)
            drawing, not_drawn = time.perf_counter() - before, int(fails.sum())
            rows = targets.repeat_interleave(rows_an_image, dim=0)
            image = self._compare(torch.from_numpy(drawn).to(targets.device), rows)
            rewards["image"] = image.masked_fill(torch.from_numpy(fails).to(image.device), LOWEST)
        return Rewarded(rewards, not_drawn, drawing, time.perf_counter() - begin - drawing)

    def _draw(self, sequences: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """The picture of each row, uint8 (R, H, W[, C]), and which could not be drawn. Equal rows are drawn once."""
        rows = [tuple(row) for row in sequences.tolist()]
        different = {row: number for number, row in enumerate(dict.fromkeys(rows))}
        scenes = [ids_to_objects(self.language, row) for row in different]
        pictures, fails = draw_readings(self.draw, scenes, self.size)
        places = [different[row] for row in rows]
        return pictures[places], fails[places]


def _find_form(language: Language, form: str, options: dict) -> Callable[[Tensor, Tensor], Tensor]:
    if form == "buckets":
        if options:
            raise OptionError(f"option 'image_options': the form 'buckets' has none, not {sorted(options)[0]!r}")
        return bucket_reward
    if language.canvas.channels != 1:
        raise OptionError(
            f"option 'image_form': 'blurred' compares grey pictures, and those of {language.name} have "
            f"{language.canvas.channels} channels; take 'buckets'"
        )
    entries = BLUR_OPTIONS | check_entries("image_options", options, BLUR_OPTIONS)
    if entries["blur"] < 0 or entries["scale"] <= 0:
        raise OptionError(f"option 'image_options': {entries} must have blur at least 0 and scale above 0")
    return partial(blur_reward, width=language.canvas.width, **entries)
