"""How large the paper's experiments are run: the options that a scale lays over the paper's recipes."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.paper_rows import NOISY, OURS_NOISY, OURS_SCENES, SCENES, Table


@dataclass(frozen=True)
class Setting:
    """Of one data set at one scale: options of train.py, of rl_train.py and of eval.py.

    `reinforce` are further options of rl_train.py. `train_size` is the whole training data where it is sampled, and
    `budget` are the minutes, or with `by_steps` the steps, of cross-entropy and of reinforcement, for which
    cross-entropy goes on in comparison. `finer` gives features twice as fine, of Abstract Scenes with their positions.
    `remark` is told in the table.
    """

    model: tuple[str, ...]
    data: tuple[str, ...]
    running: tuple[str, ...]
    evaluate: tuple[str, ...]
    budget: tuple[float, float]
    finer: tuple[str, ...] = ()
    train_size: int | None = None
    reinforce: tuple[str, ...] = ()
    remark: str = ""
    by_steps: bool = False

    def change(self, name: str) -> tuple[str, ...]:
        """The options of train.py that the change `name` of ours is."""
        return {**CHANGES, "finer": self.finer}[name]

    def ends(self, reinforces: bool) -> tuple[str, str]:
        """The option that ends a run."""
        return "--steps" if self.by_steps else "--max_minutes", str(self.budget[reinforces])


# As configs/noisy_shapes_gpu.yaml and abstract_scenes_gpu.yaml, in a tenth of their steps.
SCHEDULE = (
    *("--schedule", "cosine", "--learning_rate", "1.5e-3", "--warmup_steps", "40", "--max_gradient_norm", "1.0"),
)
FRESH = ("--data", "fresh", "--train_size", "null")
CHANGES = {
    "positions": ("--model.feature_positions", "2d"),
    "fresh": FRESH,
    "fresh_no_dropout": (*FRESH, "--model.dropout", "0.0"),
    "schedule": SCHEDULE,
    "schedule_layers": (*SCHEDULE, "--model.norm_position", "before", "--model.ffn_dim", "256"),
    "averaging_short": ("--averaging", "0.99"),
    "near": (
        *("--coordinate_spread", "4.0", "--model.number_embeddings", "sinusoidal"),
        *("--model.tie_word_embeddings", "true"),
    ),
}
CORE = ("--num_workers", "0", "--num_threads", "1")
BY_TIME = ("--steps", "1000000")  # the time ends it
WHOLE = (
    *("--steps", "1000000", "--num_workers", "8", "--num_threads", "2", "--save_every", "2000"),
    *("--mixed_precision", "bf16", "--cuda_graphs", "true"),
)
OFTEN = ("--save_every", "200")  # of reinforcement's steps, which are few
KEPT = ("--keep_pictures", "true")
COSINE = ("--schedule", "cosine")  # minutes are too few for a constant learning rate to come to its end
# The pictures are learnt by heart, noise and all, where it is drawn once.
NOISE = ("--render", "pencil", "--image_noise", "anew")
BESIDE = "in bfloat16 where the paper does not say, several runs at a time on one GPU"
DECAYS = "the learning rate of cross-entropy by a cosine, which the paper does not say"
ANEW = "the image noise drawn anew each time a picture is seen, as Ellis et al. do and the paper does not say"
# Minutes of cross-entropy leave a model so unsure that single samples of it teach nothing but noise: with the recipe's
# own numbers every reward made it worse from the first evaluation on.
SURER = ("--num_samples", "4", "--temperature", "0.3", "--learning_rate", "3e-5")
ONE_BY_ONE = "in bfloat16; each row has what those above it have, and fresh scenes are each seen once"
TEST_SCENES = ("--data", SCENES, "--split", "test", "--scene.validation_share", "0.02")


def _cpu_run(batch_size: int, every: int, evaluation_size: int) -> tuple[str, ...]:
    return (
        *("--batch_size", str(batch_size), "--evaluate_every", str(every), "--save_every", str(every)),
        *("--evaluation_size", str(evaluation_size), *CORE, *BY_TIME),
    )


def _ablation(steps: tuple[int, int], every: tuple[int, int], validation: int, train: int, test: int) -> Setting:
    """Of ours on Noisy Shapes: few scenes, which are learnt by heart as the paper's are at its scale."""
    return Setting(
        ("--image_size", "[64, 64]", "--max_length", "20", "--model.backbone_stride", "8", *KEPT),
        ("--scene.max_objects", "3", "--mixed_precision", "bf16"), _by_steps(every[0], validation),
        ("--data", NOISY, "--split", "test", "--size", str(test), "--scene.max_objects", "3"), steps,
        ("--model.backbone_stride", "4"), train, ("--evaluate_every", str(every[1]), "--metric", "iou"), ONE_BY_ONE,
        True,
    )  # fmt: skip


def _scenes_ablation(
    steps: tuple[int, int], every: tuple[int, int], validation: int, test: tuple[str, ...]
) -> Setting:
    """Of ours on Abstract Scenes: the CPU scale's pictures and batches, by steps."""
    return Setting(
        ("--image_size", "[64, 80]", "--model.backbone_stride", "8", *KEPT), ("--mixed_precision", "bf16"),
        (*_by_steps(every[0], validation), "--batch_size", "32"), (*TEST_SCENES, *test), steps,
        ("--model.backbone_stride", "4", "--model.feature_positions", "2d"),
        reinforce=(*SURER, "--evaluate_every", str(every[1])), remark=ONE_BY_ONE, by_steps=True,
    )  # fmt: skip


def _by_steps(every: int, validation: int) -> tuple[str, ...]:
    return ("--evaluate_every", str(every), "--save_every", str(every), "--evaluation_size", str(validation), *CORE)


SCALES = {
    # The paper's pictures, data and batches, on one GPU: half an hour holds rows that run side by side, those that
    # begin with them, and the scoring of both.
    "paper": {
        NOISY: Setting(
            (*KEPT, *COSINE), NOISE, (*WHOLE, "--evaluate_every", "15000", "--evaluation_size", "500"),
            ("--data", NOISY, "--split", "test", "--size", "1000", "--batch_size", "250"), (15.0, 5.0),
            train_size=99000, reinforce=(*OFTEN, "--evaluate_every", "500"), remark=f"{BESIDE}, {DECAYS}, {ANEW}",
        ),
        SCENES: Setting(
            KEPT, (), (*WHOLE, "--evaluate_every", "1000"), (*TEST_SCENES, "--batch_size", "250"), (9.0, 10.0),
            reinforce=(*OFTEN, "--evaluate_every", "500"), remark=BESIDE,
        ),
    },
    # Small pictures with as many features as the paper's, on one core.
    "cpu": {
        NOISY: Setting(
            ("--image_size", "[32, 32]", "--max_length", "32", "--model.backbone_stride", "4"),
            ("--scene.max_objects", "5"), _cpu_run(32, 400, 200),
            ("--data", NOISY, "--split", "test", "--size", "2000", "--scene.max_objects", "5"), (9.0, 6.0),
            train_size=50000,
            # So few pictures are exactly right that their share does not tell checkpoints apart.
            reinforce=("--metric", "iou", "--evaluation_size", "500"),
        ),
        SCENES: Setting(
            ("--image_size", "[64, 80]", "--model.backbone_stride", "8"),
            (), _cpu_run(32, 200, 176), TEST_SCENES, (9.0, 6.0),
            reinforce=(*SURER, "--evaluate_every", "50"),
        ),
        OURS_NOISY.setting: _ablation((1250, 150), (250, 50), 500, 3200, 2000),
        OURS_SCENES.setting: _scenes_ablation((1000, 150), (250, 50), 176, ()),
    },
    # To see that all of it works: minutes on any machine. Its scores mean nothing.
    "tiny": {
        NOISY: Setting(
            ("--image_size", "[32, 32]", "--max_length", "20", "--model.backbone_stride", "4", *KEPT),
            ("--scene.max_objects", "3"), _cpu_run(8, 5, 8),
            ("--data", NOISY, "--split", "test", "--size", "16", "--scene.max_objects", "3"), (0.1, 0.1),
            train_size=200,
        ),
        SCENES: Setting(
            ("--image_size", "[32, 40]", "--model.backbone_stride", "8", *KEPT), (), _cpu_run(8, 5, 8),
            (*TEST_SCENES, "--limit", "16"), (0.1, 0.1),
        ),
        OURS_NOISY.setting: _ablation((8, 4), (4, 2), 8, 64, 16),
        OURS_SCENES.setting: _scenes_ablation((8, 4), (4, 2), 8, ("--limit", "16")),
    },
}  # fmt: skip


def find_setting(scale: str, table: Table) -> Setting:
    """How large `table` is run; ValueError for a scale that it is not for."""
    settings, name = SCALES[scale], table.setting_name
    if name not in settings:
        known = ", ".join(scale for scale, settings in SCALES.items() if name in settings)
        raise ValueError(f"--scale {scale}: this table is for {known}")
    return settings[name]
