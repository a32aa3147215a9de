"""Golden models: tiny ones, trained once and frozen, with what they made of some pictures then.

`python -m tests.golden` trains them again and writes them to tests/golden/: do it only where a change of the weights'
form is meant, for it is what the tests guard against.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image


HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent))

from toy_language import LANGUAGE, render_batch, sample_scene  # noqa: E402

import train  # noqa: E402
from derender_training.checkpoints import replacing  # noqa: E402
from derender_training.model_folder import open_model  # noqa: E402
from derender_training.training_options import TrainingOptions  # noqa: E402


GOLDEN = HERE / "golden"
COMMON = {"backbone": "test_resnet", "backbone_stride": 8, "feature_positions": "2d", "dropout": 0.0, "d_model": 32}
DECODERS = {
    "transformer": {"num_hidden_layers": 2, "num_attention_heads": 4, "ffn_dim": 32},
    "lstm": {"decoder_type": "lstm"},
}
PICTURES = 6


def read_pictures(folder: Path) -> list[Image.Image]:
    return [Image.open(path) for path in sorted(folder.glob("*.png"))]


@torch.no_grad()
def describe(folder: Path, pictures: list[Image.Image]) -> dict:
    """What the model in the folder makes of the pictures: tokens, greedily and by beams, and logits of the first."""
    model, processor = open_model(str(folder))
    pixel_values = processor(images=pictures)["pixel_values"]
    tokens = model.generate(pixel_values)
    logits = model(pixel_values, decoder_input_ids=tokens).logits
    return {
        "tokens": tokens.tolist(),
        "beams": model.generate(pixel_values, num_beams=3).tolist(),
        "logits": logits.double().numpy().round(6).tolist(),
    }


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with replacing(GOLDEN) as new:
        write(new)
    print(f"written to {GOLDEN}; language {LANGUAGE.name} {LANGUAGE.version}")


def write(golden: Path) -> None:
    """The models and the pictures, in a folder that is not there yet."""
    pictures = golden / "pictures"
    pictures.mkdir(parents=True)
    scenes = [sample_scene(np.random.default_rng(number)) for number in range(PICTURES)]
    for number, picture in enumerate(render_batch(scenes)):
        Image.fromarray(picture).save(pictures / f"{number}.png")
    for decoder, options in DECODERS.items():
        with tempfile.TemporaryDirectory() as work:
            recipe = TrainingOptions(
                language=str(HERE / "toy_language"), output_dir=f"{work}/run", image_size=[32, 32], max_length=12,
                model=COMMON | options, batch_size=32, steps=400, learning_rate=3e-3, schedule="cosine",
                warmup_steps=10, evaluate_every=400, evaluation_size=64, num_workers=0, num_threads=1,
            )  # fmt: skip
            train.training_function(recipe)
            ignore = shutil.ignore_patterns("*.py", "README.md", "*.png")
            shutil.copytree(Path(work, "run", "model"), golden / decoder, ignore=ignore)
        expected = describe(golden / decoder, read_pictures(pictures))
        (golden / decoder / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
