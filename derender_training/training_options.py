"""The options of train.py, with the paper's values (section 5.3) as defaults where it gives them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from derender_training.options import OptionError, require, require_ranges


@dataclass
class TrainingOptions:
    """Options of a training run; a recipe sets them as `option: value`, the command line as --option value.

    Task
    - language: a language folder, by its name in datasets_scripts/ or by path.
    - output_dir: the run's folder. The same command again resumes the run there.
    - data: "fresh", scenes sampled and drawn as training goes; "given", those of the language's own data, for one
      that has such, drawn as training goes; or a folder that Datasets opens, with the columns image and objects and a
      train split.
    - data_dir: the folder of the language's own files (scenes, clip art), for one that needs such; null: where its
      environment variable says.
    - train_size: the first so many examples, again and again, each time in another order; for "fresh" data the first
      scenes of the stream, drawn anew to the same bytes. Null: fresh scenes without end, or all of the folder.
    - scene: options of the language's sample_scene for fresh scenes, and of its read_scenes for given ones.
    - render: the one of the language's RENDERERS that draws fresh and given scenes to train on; null: the default one.
      The validation is drawn by the default one.
    - image_noise: anew: each time a picture is seen the language's image noise (that of Noisy Shapes: paler or
      darker, shifted, some pixels inverted) is drawn anew, though scene and strokes are the same; a run that goes on
      from another (initial_model, rl_train.py) draws other noise, and one that goes on from that wants another seed
      to do so. For pictures that have none, as those of the renderer pencil: a folder's that have some already get
      more, which nothing can tell. It is added at the draw_size, a folder's pictures at the image_size; Noisy Shapes'
      is for 256 pixels or a multiple. The validation is left as it is. Null: pictures are as they are drawn.
    - plain_share: of fresh scenes so many, as 0.5, are sampled and drawn by the language's defaults, whatever `scene`
      and `render` say; for languages whose scenes are sampled, not recomposed from given ones.
    - image_size: [height, width] in pixels of the model's input.
    - draw_size: [height, width] at which fresh and given scenes are drawn, to be shrunk as a user's picture would be;
      null: the image_size.
    - order: of the objects in the labels: type, size, position, random (drawn anew each time a scene is seen), or
      random_once (drawn once for each scene; the paper's section 7.1 does not say which of the two its own is).
    - max_length: the most tokens in a specification, both ends among them; a longer one in the data is an error.
    Model
    - model: options of DerenderConfig, as `model: {d_model: 128}`.
    - initial_model: begin with the weights of this checkpoint's folder, which has to have the same model options.
    - pretrained_backbone: begin with timm's pretrained backbone, which is downloaded.
    Optimisation (Adam)
    - seed: of weights, dropout, fresh scenes and order. The scenes of the validation are the same for every seed.
    - steps: optimiser steps. batch_size: pictures a step, over all processes together, which share them evenly.
    - learning_rate, betas, weight_decay: Adam's. max_gradient_norm: clip there; null does not.
    - coordinate_spread: a coordinate's target is spread over its neighbours, with this standard deviation in the
      language's units (pixels, or units of the grid); null: it is the one true coordinate.
    - averaging: the model that is evaluated and saved is the moving average of the weights, with this decay a step, as
      0.999; null: the weights of the last step.
    - warmup_steps: the learning rate rises linearly for so long. schedule: constant, or cosine down to 0.
    - mixed_precision: no, bf16, or auto: bf16 where the hardware multiplies matrices in it.
    - max_minutes: a budget of training time, checkpoints and evaluations among it. The schedule's progress is then the
      larger of the steps' and the time's share, so a slow machine ends early with a decayed learning rate all the
      same; such a run is not bit-reproducible.
    Running
    - evaluate_every: steps between evaluations (one more comes at the end); the model with the best IOU is kept,
      coordinates in 20 bins (where there are fewer of them than bins, that is the exact IOU).
    - evaluation_size: pictures an evaluation, the first of the validation split of the folder, or of the language's
      given scenes; a language without given scenes takes those of the stream's validation split.
    - save_every: steps between checkpoints (one more comes at the end).
    - keep_pictures: the training pictures stay in shared memory, so that each is drawn or opened once: `train_size` x
      height x width bytes for each process that trains, three times as many in colour. Fresh scenes without end are
      not kept.
    - num_workers: processes that prepare batches, for each process that trains; 0 prepares them in the loop.
    - num_threads: PyTorch's threads, of each process that trains; null leaves them as they are.
    - cuda_graphs: on a GPU, what it does at each step is recorded once and then replayed, so that small models do not
      wait for Python; for one process. Every specification then takes the time of one of `max_length` tokens.
    """

    language: str
    output_dir: str
    data: str = "fresh"
    data_dir: str | None = None
    train_size: int | None = None
    scene: dict[str, Any] = field(default_factory=dict)
    render: str | None = None
    image_noise: Literal["anew"] | None = None
    plain_share: float | None = None
    image_size: list[int] = field(default_factory=lambda: [256, 256])
    draw_size: list[int] | None = None
    order: Literal["type", "size", "position", "random", "random_once"] = "type"
    max_length: int = 160
    model: dict[str, Any] = field(default_factory=dict)
    initial_model: str | None = None
    pretrained_backbone: bool = False
    seed: int = 0
    steps: int = 100_000
    batch_size: int = 64
    learning_rate: float = 1e-3
    betas: list[float] = field(default_factory=lambda: [0.9, 0.999])
    weight_decay: float = 0.0
    max_gradient_norm: float | None = None
    coordinate_spread: float | None = None
    averaging: float | None = None
    warmup_steps: int = 0
    schedule: Literal["constant", "cosine"] = "constant"
    mixed_precision: Literal["no", "bf16", "auto"] = "no"
    max_minutes: float | None = None
    evaluate_every: int = 2000
    evaluation_size: int = 500
    save_every: int = 1000
    keep_pictures: bool = False
    num_workers: int = 1
    num_threads: int | None = None
    cuda_graphs: bool = False

    def __post_init__(self):
        positive = (
            "train_size", "max_length", "steps", "batch_size", "learning_rate", "max_gradient_norm", "max_minutes",
            "coordinate_spread",
            "evaluate_every", "evaluation_size", "save_every", "num_threads",
        )  # fmt: skip
        not_negative = ("seed", "weight_decay", "warmup_steps", "num_workers")
        require_ranges(self, positive, not_negative, ("image_size", "draw_size", "betas"))
        if self.initial_model is not None and self.pretrained_backbone:
            raise OptionError("option 'pretrained_backbone': 'initial_model' has a backbone already; give one of them")
        for name in ("image_size", "draw_size"):
            require(self, name, min(getattr(self, name) or [1]) > 0, "must be above 0")
        require(self, "plain_share", 0 <= (self.plain_share or 0) <= 1, "must be a share from 0 to 1")
        require(self, "averaging", self.averaging is None or 0 <= self.averaging < 1, "must be at least 0 and below 1")
        require(self, "betas", all(0 <= beta < 1 for beta in self.betas), "must be at least 0 and below 1")

    @property
    def scene_size(self) -> list[int]:
        """[height, width] at which scenes are drawn."""
        return self.draw_size or self.image_size
