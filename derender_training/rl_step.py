"""One step of reinforcement learning: encode, decode, reward, score again; its loss and what is to be told of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields

import torch
from accelerate import Accelerator
from torch import Tensor

from derender_training.recorded import Recorded
from derender_training.reward_suite import RewardSuite
from derender_training.self_critical import draw_uniform, find_advantages, policy_loss
from modeling_derender.grammar_tables import GrammarTables
from modeling_derender.rewards import count_repeated
from modeling_derender.rollout import Rollout, pick_tokens, restrict, roll_out


class RLStep:
    """Callable on a batch of `RLBatches` and the number of steps done: the loss, and the step's scalars.

    It leaves the loss's gradient in the parameters. `model` is the prepared one, in evaluation mode: no dropout, and
    BatchNorm by its running statistics, which stay as they are; `normalize` makes its pixel values of a batch's
    pictures. The images are encoded once, with gradient. All their rows are decoded in one loop, without gradient and
    under the grammar; the samples are then scored again in one teacher-forced pass through the prepared model, whose
    time has that of the gradient in it.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        model: torch.nn.Module,
        normalize: Callable[[Tensor], Tensor],
        tables: GrammarTables,
        suite: RewardSuite,
        join: Callable[[int, dict[str, Tensor]], Tensor],
        estimator: str,
        num_samples: int,
        seed: int,
        temperature: float = 1.0,
    ):
        self.accelerator, self.model, self.normalize = accelerator, model, normalize
        self.tables, self.suite = tables, suite
        self.join, self.estimator, self.num_samples, self.seed = join, estimator, num_samples, seed
        self.temperature, self.greedy = temperature, estimator == "scst"
        self.width = num_samples + self.greedy
        self.max_length = accelerator.unwrap_model(model).generation_config.max_length

    def __call__(self, batch: dict[str, Tensor], step: int) -> tuple[Tensor, dict[str, Tensor | float]]:
        watch = Stopwatch(self.accelerator.device)
        pictures = batch["pixel_values"]
        uniform = self._draw_uniform(len(pictures), step).to(pictures.device)
        rollout, images = self._decode(pictures, uniform, watch)
        rewarded = self.suite(rollout, batch["references"], batch.get("targets", pictures))
        rewards = {name: reward.view(-1, self.width) for name, reward in rewarded.rewards.items()}
        advantages = find_advantages(self.join(step, rewards), self.estimator)
        samples = rollout.take(self._sample_rows(rollout))
        with watch("score_again"):
            loss, scores = self._learn(images, samples, advantages)
        seconds = {**watch.seconds, "render": rewarded.render_seconds, "reward": rewarded.reward_seconds}
        with torch.no_grad():
            scalars = self._describe(rewards, advantages, samples, scores)
        scalars["not_drawn"] = float(rewarded.not_drawn)
        return loss, scalars | {f"seconds/{name}": value for name, value in seconds.items()}

    def _decode(self, pictures: Tensor, uniform: Tensor, watch: Stopwatch) -> tuple[Rollout, Tensor]:
        """The roll-out, and what `_learn` takes of the images: their features, with gradient."""
        with watch("encode"):
            features = self._encode(pictures)
        with watch("decode"):
            return self._roll_out(features.detach(), uniform), features

    def _learn(self, features: Tensor, samples: Rollout, advantages: Tensor) -> tuple[Tensor, Tensor]:
        """Takes the gradient; the loss, and the scores (R, T - 1, V) of all tokens."""
        return self._take_gradient(features, samples.sequences, samples.allowed, advantages)

    def _encode(self, pictures: Tensor) -> Tensor:
        with self.accelerator.autocast():
            return self.accelerator.unwrap_model(self.model).encoder(self.normalize(pictures)).last_hidden_state

    def _roll_out(self, features: Tensor, uniform: Tensor, full_length: bool = False) -> Rollout:
        with self.accelerator.autocast():
            return roll_out(
                self.accelerator.unwrap_model(self.model), features, self.tables, uniform, self.greedy,
                self.max_length, self.temperature, full_length,
            )  # fmt: skip

    def _take_gradient(
        self, features: Tensor, sequences: Tensor, allowed: Tensor, advantages: Tensor
    ) -> tuple[Tensor, Tensor]:
        logits = self.model(encoder_outputs=(features,), decoder_input_ids=sequences[:, :-1]).logits
        scores = restrict(logits, allowed, self.temperature)
        loss = policy_loss(pick_tokens(scores, sequences), advantages)
        self.accelerator.backward(loss)
        return loss.detach(), scores.detach()

    def _sample_rows(self, rollout: Rollout) -> Tensor:
        rows = torch.arange(len(rollout.sequences), device=rollout.sequences.device)
        return rows.view(-1, self.width)[:, int(self.greedy) :].flatten()

    def _draw_uniform(self, num_images: int, step: int) -> Tensor:
        """This process's part of the step's random numbers."""
        process, num_processes = self.accelerator.process_index, self.accelerator.num_processes
        part = slice(process * num_images, (process + 1) * num_images)
        return draw_uniform(self.seed, step, num_images * num_processes, self.num_samples, self.max_length - 1, part)

    def _describe(self, rewards: dict, advantages: Tensor, samples: Rollout, scores: Tensor) -> dict[str, Tensor]:
        scalars = {"zero_advantages": (advantages == 0).float().mean()}
        for name, reward in rewards.items():
            scalars[f"reward/{name}/sample"] = reward[:, int(self.greedy) :].mean()
            if self.greedy:
                scalars[f"reward/{name}/baseline"] = reward[:, 0].mean()
                scalars[f"reward/{name}/difference"] = (reward[:, 1:] - reward[:, :1]).mean()
        tokens = samples.sequences[:, 1:]
        model = self.accelerator.unwrap_model(self.model)
        counts = tokens != model.config.pad_token_id
        entropy = -(scores.exp() * scores.masked_fill(~samples.allowed, 0)).sum(dim=-1)
        ends = tokens == model.config.eos_token_id
        # The end token was all that the length left room for.
        forced = ends & (samples.allowed.sum(dim=-1) == 1)
        return scalars | {
            "entropy": entropy[counts].mean(),
            "length": counts.sum(dim=1).float().mean(),
            "objects": samples.num_objects.float().mean(),
            "duplicates": count_repeated(samples.objects).float().mean(),
            "truncated": forced.any(dim=1).float().mean(),
        }


class RecordedRLStep(RLStep):
    """The same, in two CUDA graphs, before the rewards and after them. Each encodes the images for itself."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self._recorded_decode = Recorded(self._decode_whole, self.model)
        self._recorded_learn = Recorded(self._learn_whole, self.model)

    def _decode(self, pictures: Tensor, uniform: Tensor, watch: Stopwatch) -> tuple[Rollout, Tensor]:
        """The roll-out, and the pictures as they are."""
        with watch("decode"):
            return Rollout(*self._recorded_decode(pictures, uniform)), pictures

    def _learn(self, pictures: Tensor, samples: Rollout, advantages: Tensor) -> tuple[Tensor, Tensor]:
        return self._recorded_learn(pictures, samples.sequences, samples.allowed, advantages)

    @torch.no_grad()
    def _decode_whole(self, pictures: Tensor, uniform: Tensor) -> tuple[Tensor, ...]:
        rollout = self._roll_out(self._encode(pictures), uniform, full_length=True)
        return tuple(getattr(rollout, field.name) for field in fields(rollout))

    def _learn_whole(self, pictures: Tensor, *arguments: Tensor) -> tuple[Tensor, Tensor]:
        return self._take_gradient(self._encode(pictures), *arguments)


class Stopwatch:
    """Seconds of the parts of a step; on an accelerator each part waits for what it has asked of the device."""

    def __init__(self, device: torch.device):
        self.device, self.seconds = device, {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        if self.device.type != "cpu":
            torch.accelerator.synchronize(self.device)
        self.seconds[name] = time.perf_counter() - begin
