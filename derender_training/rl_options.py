"""The options of rl_train.py, with the paper's values (section 5.3) as defaults where it gives them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from derender_training.joint_reward import join_rewards
from derender_training.options import OptionError, closest, require, require_ranges
from derender_training.scores import SCORES


REWARDS = ("iou", "inference", "image")


@dataclass
class RLOptions:
    """Options of a reinforcement-learning run; a recipe sets them as `option: value`, the command line as --option.

    Task
    - checkpoint: the folder of a model trained by cross-entropy, with its processor.
    - output_dir: the run's folder. The same command again resumes the run there.
    - language: the language's folder, by name or path; null: the one of the checkpoint's language by its name.
    - data, data_dir, train_size, scene, render, image_noise, plain_share: as of train.py. Pictures come at the
      checkpoint's resolution.
    - image_size: filled in from the checkpoint; leave it null.
    Rewards
    - rewards: of iou (equation 11), inference (one minus the inference error) and image (equation 13 or 14, as the
      language's folder has it), one or several.
    - joint: alternate, in turns by `ratio`, or weighted, summed by `weights`.
    - ratio: mini-batches for each reward in turn. The paper's 1:4 is read as [1, 4]: one on the first, then four on
      the second.
    - weights: of the sum.
    - image_form: buckets (equation 14) or blurred (equation 13); null: the language's own.
    - image_options: of the blurred form, {blur: 0.3, scale: 1.0}; see modeling_derender/image_rewards.py.
    - reward_size: [height, width] at which pictures are compared, the truth drawn clean; null: as the model sees them,
      beside the very picture that it saw.
    Estimator
    - estimator: scst, against the greedy specification, or leave_one_out, against the mean of the other samples.
    - num_samples: for each picture; leave_one_out needs 2 or more.
    - temperature: the policy that is sampled and learns is softmax(logits / temperature), with the grammar. The
      greedy specification is the same at any. Below 1 it is nearer to it, and wins and losses are less by chance.
    Optimisation (a new Adam)
    - seed: of data and samples. steps, batch_size: as of train.py.
    - learning_rate, betas, weight_decay, max_gradient_norm, warmup_steps, schedule, mixed_precision, max_minutes: as
      of train.py.
    Running
    - metric: that tells the best checkpoint, of the scores of eval.py; an error is better the lower it is.
    - guard_margin: the run stops, and keeps the best model, where the metric is worse than at the start by more.
    - evaluate_every, evaluation_size, save_every, num_workers, num_threads, cuda_graphs: as of train.py.
    """

    checkpoint: str
    output_dir: str
    language: str | None = None
    data: str = "fresh"
    data_dir: str | None = None
    train_size: int | None = None
    scene: dict[str, Any] = field(default_factory=dict)
    render: str | None = None
    image_noise: Literal["anew"] | None = None
    plain_share: float | None = None
    image_size: list[int] | None = None
    rewards: list[str] = field(default_factory=lambda: ["iou"])
    joint: Literal["alternate", "weighted"] = "alternate"
    ratio: list[int] | None = None
    weights: list[float] | None = None
    image_form: Literal["buckets", "blurred"] | None = None
    image_options: dict[str, Any] = field(default_factory=dict)
    reward_size: list[int] | None = None
    estimator: Literal["scst", "leave_one_out"] = "scst"
    num_samples: int = 1
    temperature: float = 1.0
    seed: int = 0
    steps: int = 10_000
    batch_size: int = 64
    learning_rate: float = 1e-4
    betas: list[float] = field(default_factory=lambda: [0.9, 0.999])
    weight_decay: float = 0.0
    max_gradient_norm: float | None = 1.0
    warmup_steps: int = 0
    schedule: Literal["constant", "cosine"] = "constant"
    mixed_precision: Literal["no", "bf16", "auto"] = "no"
    max_minutes: float | None = None
    metric: str = "iou"
    guard_margin: float = 0.05
    evaluate_every: int = 500
    evaluation_size: int = 500
    save_every: int = 500
    num_workers: int = 1
    num_threads: int | None = None
    cuda_graphs: bool = False

    def __post_init__(self):
        positive = (
            "train_size", "num_samples", "temperature", "steps", "batch_size", "learning_rate", "max_gradient_norm",
            "max_minutes", "evaluate_every", "evaluation_size", "save_every", "num_threads",
        )  # fmt: skip
        not_negative = ("seed", "weight_decay", "warmup_steps", "num_workers", "guard_margin")
        require_ranges(self, positive, not_negative, ("betas", "reward_size"))
        require(self, "plain_share", 0 <= (self.plain_share or 0) <= 1, "must be a share from 0 to 1")
        require(self, "betas", all(0 <= beta < 1 for beta in self.betas), "must be at least 0 and below 1")
        for name in self.rewards:
            if name not in REWARDS:
                raise OptionError(f"option 'rewards': {name!r} is unknown; {closest(name, REWARDS)}")
        require(self, "rewards", len(self.rewards) == len(set(self.rewards)) > 0, "must name one or more, once each")
        self._refuse_unused()
        require(self, "reward_size", min(self.reward_size or [1]) > 0, "must be above 0")
        if self.metric not in SCORES:
            raise OptionError(f"option 'metric': {self.metric!r} is unknown; {closest(self.metric, SCORES)}")
        if self.estimator == "leave_one_out" and self.num_samples < 2:
            raise OptionError("option 'num_samples': leave_one_out compares samples, so it needs 2 or more, not 1")
        self.join_rewards()

    def _refuse_unused(self) -> None:
        """Raise OptionError for an option that nothing uses."""
        joint = f"joint {self.joint!r}"
        unused = {"weights": joint} if self.joint == "alternate" else {"ratio": joint}
        if "image" not in self.rewards:
            unused |= dict.fromkeys(("image_form", "image_options", "reward_size"), f"rewards {self.rewards}")
        for name, reason in unused.items():
            if getattr(self, name):
                raise OptionError(f"option {name!r}: has no part in {reason}; leave it out")

    def join_rewards(self):
        """The joint reward; OptionError for a ratio or weights that do not fit."""
        return join_rewards(
            self.rewards, self.joint, self.ratio or [1] * len(self.rewards), self.weights or [1.0] * len(self.rewards)
        )

    @property
    def scene_size(self) -> list[int]:
        """[height, width] at which scenes are drawn: the model's own, for readings are drawn so and compared."""
        return self.image_size
