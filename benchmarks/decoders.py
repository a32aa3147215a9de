"""Cost of the LSTM decoder beside the Transformer: python benchmarks/decoders.py [--rounds N] [--device cpu]

The paper's two models (its footnote 6: the Transformer trains 2.5 times faster; at inference both take the same
time). Prints seconds, and the LSTM's divided by the Transformer's: of a teacher-forced training step (forward,
backward and Adam) and of greedy generation, of the decoders alone on features held in memory and of the whole models,
at batch 64, 80 tokens and 256 x 256 pixels. They take turns, so that a machine whose speed drifts is fair to both; the
ratio is of the medians. Exits with 1 where the decoder's training step costs more than 3 times the Transformer's.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch


sys.path.insert(0, str(Path(__file__).parent.parent))

from datasets_scripts.noisy_shapes import LANGUAGE  # noqa: E402
from derender.cli import positive  # noqa: E402
from derender_training.result_file import describe_hardware, find_commit  # noqa: E402
from modeling_derender import DerenderConfig, DerenderForConditionalGeneration  # noqa: E402


BATCH, TOKENS = 64, 80
BOUND = 3.0
MODELS = {
    "LSTM": {"decoder_type": "lstm"},
    "LSTM without attention": {"decoder_type": "lstm", "lstm_attention": "none"},
    "Transformer": {},
}


class Timed:
    """One model with what its steps need."""

    def __init__(self, options: dict, device: torch.device):
        torch.manual_seed(0)
        model = DerenderForConditionalGeneration(DerenderConfig.from_language(LANGUAGE, **options))
        self.model = model.to(device, memory_format=torch.channels_last)
        height, width = self.model.config.image_size
        self.pictures = torch.randn(BATCH, 1, height, width, device=device)
        self.labels = torch.randint(4, LANGUAGE.vocab_size, (BATCH, TOKENS), device=device)
        with torch.no_grad():
            self.features = self.model.encoder(self.pictures)
        self.optimizers = {
            alone: torch.optim.Adam((self.model.decoder if alone else self.model).parameters())
            for alone in (True, False)
        }

    def train(self, alone: bool) -> None:
        self.model.train()
        inputs = {"encoder_outputs": self.features} if alone else {"pixel_values": self.pictures}
        self.model(**inputs, labels=self.labels).loss.backward()
        self.optimizers[alone].step()
        self.model.zero_grad()

    def generate(self, alone: bool) -> None:
        """Greedy, TOKENS tokens for each picture: without the grammar and an end, so that all do the same work."""
        self.model.eval()
        inputs = {"encoder_outputs": self.features} if alone else {"pixel_values": self.pictures}
        sequences = self.model.generate(
            **inputs, use_grammar=False, eos_token_id=LANGUAGE.vocab_size, max_length=TOKENS
        )
        assert sequences.shape == (BATCH, TOKENS)


def measure(models: dict[str, Timed], what: str, alone: bool, rounds: int, device: torch.device) -> list[list[float]]:
    """Seconds of each model in each round; one round before them warms up."""
    seconds = [
        [time_call(getattr(timed, what), alone, device) for timed in models.values()] for _ in range(rounds + 1)
    ]
    return seconds[1:]


def time_call(call: Callable[[bool], None], alone: bool, device: torch.device) -> float:
    begin = time.perf_counter()
    call(alone)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - begin


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=positive, default=5)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    device = torch.device(options.device)
    models = {name: Timed(decoder, device) for name, decoder in MODELS.items()}
    print(f"batch {BATCH}, {TOKENS} tokens, {options.rounds} rounds")
    print(f"{describe_hardware(device)}; commit {find_commit()}")
    print(", ".join(f"{name} {timed.model.num_parameters() / 1e6:.2f}M parameters" for name, timed in models.items()))
    columns = ("LSTM", "no attention", "Transformer", "LSTM / Transf.", "of single rounds")
    print(f"\n{'seconds, median':<26}" + "".join(f"{column:>18}" for column in columns))
    ratios = {}
    for what, alone in itertools.product(("train", "generate"), (True, False)):
        seconds = measure(models, what, alone, options.rounds, device)
        lstm, without, transformer = (statistics.median(column) for column in zip(*seconds, strict=True))
        ratios[what, alone] = lstm / transformer
        single = sorted(row[0] / row[2] for row in seconds)
        cells = [f"{value:.3f}" for value in (lstm, without, transformer)]
        cells += [f"{lstm / transformer:.2f}", f"{single[0]:.2f} to {single[-1]:.2f}"]
        title = f"{what}, {'decoder alone' if alone else 'whole model'}"
        print(f"{title:<26}" + "".join(f"{cell:>18}" for cell in cells), flush=True)
    kept = ratios["train", True] <= BOUND
    print(f"\nbound, of a decoder's training step: at most {BOUND:.0f}: {'kept' if kept else 'missed'}")
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main())
