"""Steps that are recorded as CUDA graphs: what they rest on, anywhere; that they learn the same, on a GPU."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from safetensors.torch import load_file

import rl_train
import train
from datasets_scripts import load_language_folder
from derender_training.data import load_examples
from derender_training.kept_batches import KeptBatches
from derender_training.options import OptionError
from derender_training.recorded import Recorded
from derender_training.rl_data import RLBatches
from derender_training.rl_options import RLOptions
from derender_training.rl_step import RecordedRLStep, RLStep
from derender_training.self_critical import draw_uniform
from modeling_derender.checkpoint import load_checkpoint
from modeling_derender.grammar_tables import GrammarTables
from modeling_derender.rollout import roll_out


TOY = str(Path(__file__).parent / "toy_language")
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # or cuBLAS is not deterministic
on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="records what a CUDA GPU does")
LSTM = {"backbone": "test_resnet", "backbone_stride": 8, "d_model": 64, "decoder_type": "lstm", "dropout": 0.0}
KINDS = {  # model, coordinate_spread, precision
    "transformer": (None, None, "no"), "lstm": (LSTM, None, "no"), "spread": (None, 1.5, "no"),
    "bf16": (None, None, "bf16"),
}  # fmt: skip


@pytest.fixture
def run(options, tmp_path):
    return replace(options, output_dir=str(tmp_path / "run"), train_size=200, steps=24, evaluate_every=12)


@pytest.fixture
def rl_run(options, trained, tmp_path):
    return RLOptions(
        checkpoint=f"{options.output_dir}/model", language=TOY, output_dir=str(tmp_path / "rl"), batch_size=16,
        scene={"max_objects": 1}, steps=8, evaluate_every=4, evaluation_size=32, num_workers=0, guard_margin=1.0,
        rewards=["iou", "image"], ratio=[1, 1],
    )  # fmt: skip


@pytest.mark.skipif(torch.cuda.is_available(), reason="tells that there is no CUDA GPU")
def test_without_a_gpu_nothing_is_recorded(run, rl_run):
    with pytest.raises(OptionError, match="option 'cuda_graphs': needs a CUDA GPU, and this run is on"):
        train.training_function(replace(run, cuda_graphs=True))
    with pytest.raises(OptionError, match="option 'cuda_graphs': needs a CUDA GPU"):
        rl_train.training_function(replace(rl_run, cuda_graphs=True))


def find_gradients(options, accelerator, num_steps: int) -> list[torch.Tensor]:
    """Of a new model that learns: loss and gradients of each step, and the buffers at the end."""
    folder = load_language_folder(TOY)
    torch.manual_seed(0)
    model, processor = train.build_model(options, folder.LANGUAGE)
    model, optimizer = accelerator.prepare(model, torch.optim.SGD(model.parameters(), 0.01))
    examples = load_examples(options, folder).train
    batches = KeptBatches(examples, processor, 8, size=40, max_length=options.max_length)
    targets = train.find_targets(options, folder.LANGUAGE, accelerator)
    find_gradient = train.cross_entropy(accelerator, model, options, batches.normalize, targets)
    found = []
    for step in range(num_steps):
        batch = {name: tensor.to(accelerator.device) for name, tensor in batches[step].items()}
        assert batch["labels"].shape[1] < options.max_length - 1
        loss, _ = find_gradient(batch, step)
        found += [loss, *(parameter.grad.clone() for parameter in model.parameters())]
        optimizer.step()
        optimizer.zero_grad()
    return [*found, *model.buffers()]


def are_close(one: torch.Tensor, other: torch.Tensor, precision: str = "no") -> bool:
    share = {"no": 1e-3, "bf16": 5e-2}[precision]
    return bool((one - other).float().norm() <= share * one.float().norm() + 1e-5)


def test_labels_as_long_as_can_be_give_the_same_gradients(kind, deterministic, monkeypatch):
    """What a recorded step does to the labels, with its function called as it is."""
    monkeypatch.setattr(train, "Recorded", lambda function, model: function)
    options, accelerator = kind
    one, other = (find_gradients(replace(options, cuda_graphs=graphs), accelerator, 1) for graphs in (False, True))
    assert all(are_close(*pair, accelerator.mixed_precision) for pair in zip(one, other, strict=True))


def test_a_roll_out_of_full_length_is_the_same_with_padding(options, trained):
    model = load_checkpoint(f"{options.output_dir}/model").eval()
    features = torch.randn(4, 16, 64, generator=torch.Generator().manual_seed(0))
    uniform, tables = draw_uniform(0, 0, 4, 3, 11), GrammarTables(model.language)
    short, full = (roll_out(model, features, tables, uniform, full_length=full) for full in (False, True))
    length = short.sequences.shape[1]
    assert full.sequences.shape == (16, 12) and length < 12
    assert torch.equal(full.sequences[:, :length], short.sequences)
    assert (full.sequences[:, length:] == model.config.pad_token_id).all()
    assert torch.equal(full.log_probs[:, : length - 1], short.log_probs) and not full.log_probs[:, length - 1 :].any()
    assert torch.equal(full.allowed[:, : length - 1], short.allowed)
    assert torch.equal(full.objects, short.objects) and torch.equal(full.num_objects, short.num_objects)


@pytest.fixture(params=KINDS)
def kind(request, options):
    """Options, and an accelerator of their precision."""
    model, coordinate_spread, precision = KINDS[request.param]
    AcceleratorState._reset_state(True)
    accelerator = Accelerator(cpu=not torch.cuda.is_available(), mixed_precision=precision)
    yield replace(options, model=model or options.model, coordinate_spread=coordinate_spread), accelerator
    AcceleratorState._reset_state(True)


@pytest.fixture
def deterministic(monkeypatch):
    """The same kernels give the same sums, in all of their digits, so that runs can be compared."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    torch.use_deterministic_algorithms(True, warn_only=True)
    yield
    torch.use_deterministic_algorithms(False)


def last_weights(run) -> dict[str, torch.Tensor]:
    return load_file(max(Path(run.output_dir, "checkpoints").glob("step_*")) / "model.safetensors")


def assert_it_resumes(script, whole) -> None:
    """A run stopped at its last evaluation ends, when it is resumed, bit for bit as the `whole` one."""
    halves = replace(whole, output_dir=f"{whole.output_dir}_halves")

    def stop(log, step, scores):
        if step == whole.steps:
            raise KeyboardInterrupt

    script.training_function(whole)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(script.TrainingLog, "record_scores", stop)
        script.training_function(halves)
    assert script.training_function(halves).step == whole.steps
    again = last_weights(halves)
    assert all(torch.equal(tensor, again[name]) for name, tensor in last_weights(whole).items())


@on_gpu
def test_recording_leaves_random_numbers_and_buffers_as_they_are():
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4), torch.nn.Dropout(0.5)).cuda()
    inputs, before = torch.randn(8, 4).cuda(), model[1].running_mean.clone()
    state = torch.cuda.get_rng_state()

    def find(inputs):
        loss = model(inputs).square().mean()
        loss.backward()
        return (loss.detach(),)

    recorded = Recorded(find, model)
    recorded._record((inputs,))
    assert torch.equal(torch.cuda.get_rng_state(), state)
    assert torch.equal(model[1].running_mean, before)
    first, second = recorded(inputs)[0], recorded(inputs)[0]
    assert first != second  # other units are dropped each time
    assert model[1].num_batches_tracked == 2
    torch.cuda.set_rng_state(state)
    assert torch.equal(recorded(inputs)[0], first)


@on_gpu
def test_recorded_steps_find_the_same_gradients(kind, deterministic):
    options, accelerator = kind
    one, other = (find_gradients(replace(options, cuda_graphs=graphs), accelerator, 3) for graphs in (False, True))
    assert all(are_close(*pair, accelerator.mixed_precision) for pair in zip(one, other, strict=True))


@on_gpu
@pytest.mark.parametrize("keep_pictures", [False, True])
def test_a_recorded_run_learns(options, tmp_path, keep_pictures):
    recorded = replace(
        options, output_dir=str(tmp_path), cuda_graphs=True, train_size=4000, keep_pictures=keep_pictures
    )
    assert train.training_function(recorded).best_score > 0.8


@on_gpu
def test_a_recorded_run_resumes(run, deterministic):
    assert_it_resumes(train, replace(run, cuda_graphs=True, model=run.model | {"dropout": 0.1}, save_every=12))


@on_gpu
@pytest.mark.parametrize("estimator, num_samples", [("scst", 1), ("leave_one_out", 3)])
def test_recorded_reinforcement_finds_the_same_gradients(rl_run, deterministic, estimator, num_samples):
    accelerator, folder = Accelerator(), load_language_folder(TOY)
    model, processor = rl_train.open_checkpoint(rl_run.checkpoint)
    model = model.to(accelerator.device)
    options = replace(rl_run, image_size=model.config.image_size)
    examples = load_examples(options, folder).train
    batches = RLBatches(examples, processor, 8, language=folder.LANGUAGE)
    suite = rl_train.build_suite(options, folder, folder.render_batch, accelerator.device)
    tables = GrammarTables(folder.LANGUAGE, accelerator.device)
    found = []
    for kind in (RLStep, RecordedRLStep):
        take_step = kind(
            accelerator, model, batches.normalize, tables, suite, options.join_rewards(), estimator, num_samples,
            seed=0, temperature=2.0,
        )  # fmt: skip
        for step in range(3):
            batch = {name: tensor.to(accelerator.device) for name, tensor in batches[step].items()}
            model.zero_grad()
            loss, scalars = take_step(batch, step)
            rewards = [scalars[name] for name in sorted(scalars) if name.startswith("reward/")]
            found.append([loss, *rewards, *(item.grad.clone() for item in model.parameters())])
    assert any(row[0] != 0 for row in found)
    for one, other in zip(found[:3], found[3:], strict=True):
        assert all(are_close(*pair) for pair in zip(one, other, strict=True))


@on_gpu
def test_recorded_reinforcement_resumes(rl_run, deterministic):
    assert_it_resumes(rl_train, replace(rl_run, cuda_graphs=True, save_every=4))


@on_gpu
def test_an_lstm_learns_with_dropout_and_in_bfloat16(run):
    """As the paper's does at its scale."""
    AcceleratorState._reset_state(True)
    options = replace(run, model=LSTM | {"dropout": 0.3}, mixed_precision="bf16", cuda_graphs=True)
    assert train.training_function(options).finished
    assert all(tensor.isfinite().all() for tensor in last_weights(options).values())
    AcceleratorState._reset_state(True)
