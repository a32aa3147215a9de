"""Mixes the weights of a model with those that it went on from: python -m experiments.mix_weights NEW OLD OUTPUT

A model that went on with other pictures keeps more of what it read before where a share of the old weights is left in
it (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from derender.cli import share
from derender_training.checkpoints import replacing
from derender_training.model_folder import open_model
from derender_training.result_file import find_commit, write_bytes


CARD = """\
# A mixture

## How it was made

{share:g} of the weights of `{new}` and {rest:g} of those of `{old}`, which it went on from
(`python -m experiments.mix_weights {new} {old} {output} --share {share:g}`; commit {commit}).
"""


def mix(new: dict[str, Tensor], old: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """`share` of the floating-point tensors of `new`, the rest of those of `old`; the others as in `new`.

    Raises ValueError for tensors of other names or shapes.
    """
    if {name: tensor.shape for name, tensor in new.items()} != {name: tensor.shape for name, tensor in old.items()}:
        raise ValueError("the two models are not of one architecture")
    return {
        name: torch.lerp(old[name], tensor, share) if tensor.is_floating_point() else tensor
        for name, tensor in new.items()
    }


def write_mixture(new: Path, old: Path, output: Path, share: float) -> None:
    """A folder with the mixed model, the processor of `new` and a card; ValueError for models that do not fit."""
    model, processor = open_model(str(new))
    model.load_state_dict(mix(model.state_dict(), open_model(str(old))[0].state_dict(), share))
    output.parent.mkdir(parents=True, exist_ok=True)
    with replacing(output) as mixed:
        model.save_pretrained(mixed)
        processor.save_pretrained(mixed)
        card = CARD.format(share=share, rest=1 - share, new=new, old=old, output=output, commit=find_commit())
        write_bytes(mixed / "README.md", card.encode())


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("new", type=Path, help="folder of the model")
    parser.add_argument("old", type=Path, help="folder of the model that it went on from")
    parser.add_argument("output", type=Path, help="folder of the mixture")
    parser.add_argument("--share", type=share, default=0.5, help="of the new weights, from 0 to 1 (default 0.5)")
    options = parser.parse_args(arguments)
    try:
        write_mixture(options.new, options.old, options.output, options.share)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
