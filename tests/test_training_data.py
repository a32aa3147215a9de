"""What a run trains on: the order of examples, a pure function of the step, and folders of pictures."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import datasets
import numpy as np
import pytest
import torch
import yaml
from PIL import Image

import rl_train
import train
from datasets_scripts import load_language_folder
from datasets_scripts.scenes import FreshScenes
from derender_training import data_folder, kept_batches
from derender_training.data import FIRST, FURTHER, REINFORCED, TrainingBatches, load_batches, load_examples
from derender_training.image_noise import find_image_noise
from derender_training.kept_batches import KeptBatches
from derender_training.options import OptionError
from derender_training.rl_data import RLBatches
from derender_training.rl_options import RLOptions
from derender_training.seen_pictures import SeenPictures
from modeling_derender import DerenderImageProcessor, DerenderProcessor
from modeling_derender.rewards import objects_to_tokens
from modeling_derender.specification import SpecificationError


TOY = str(Path(__file__).parent / "toy_language")


class Numbers:
    """Examples that tell their own index."""

    def __getitems__(self, indices):
        return [{"image": index, "objects": index} for index in indices]


def show_numbers(images, objects, order, rng):
    draws = [None] * len(objects) if rng is None else [generator.integers(1 << 30) for generator in rng]
    return {"labels": torch.tensor([objects]).T, "draws": draws}


def make_batches(process=0, num_processes=1, **options) -> TrainingBatches:
    return TrainingBatches(
        Numbers(), show_numbers, batch_size=6, seed=3, process=process, num_processes=num_processes, **options
    )


def seen(batches: TrainingBatches, step: int) -> list[tuple]:
    batch = batches[step]
    return list(zip(batch["labels"].flatten().tolist(), batch["draws"], strict=True))


@pytest.mark.parametrize("size", [None, 10])
def test_a_step_sees_the_same_with_any_number_of_processes(size):
    one = make_batches(size=size, order="random")
    two = [make_batches(process, 2, size=size, order="random") for process in (0, 1)]
    for step in (0, 1, 5, 4, 1):
        assert seen(one, step) == seen(two[0], step) + seen(two[1], step)


def test_fixed_examples_come_once_an_epoch_in_changing_order():
    batches = make_batches(size=9)
    order = np.array([number for step in range(6) for number, _ in seen(batches, step)]).reshape(4, 9)
    assert (np.sort(order) == np.arange(9)).all()
    assert len({tuple(epoch) for epoch in order}) == 4


def test_fresh_examples_never_repeat():
    numbers = [number for step in range(5) for number, _ in seen(make_batches(), step)]
    assert numbers == list(range(30))


def test_random_order_is_drawn_anew_each_time():
    batches = make_batches(size=6, order="random")
    first, second = dict(seen(batches, 0)), dict(seen(batches, 1))
    assert first.keys() == second.keys() and all(first[number] != second[number] for number in first)


def test_random_order_can_be_drawn_once_for_each_example():
    batches = make_batches(size=9, order="random_once")
    epochs = [dict(seen(batches, step) + seen(batches, step + 1)) for step in (0, 3)]
    again = dict(draw for process in (0, 1) for draw in seen(make_batches(process, 2, size=9, order="random_once"), 0))
    assert len(set(epochs[0].values())) == len(epochs[0])
    for other in (epochs[1], again):
        shared = epochs[0].keys() & other.keys()
        assert len(shared) >= 3 and all(epochs[0][number] == other[number] for number in shared)
    assert epochs[0] != dict(seen(make_batches(size=9, order="random"), 0))


def test_uneven_share_is_refused():
    with pytest.raises(OptionError, match="6 pictures are not shared by 4 processes"):
        make_batches(0, 4)


def test_scenes_are_drawn_by_the_renderer_of_the_options(options):
    folder, options = load_language_folder("noisy_shapes"), replace(options, language="noisy_shapes")
    usual, clean = (load_examples(replace(options, render=name), folder) for name in (None, "clean"))
    assert usual.train[3]["objects"] == clean.train[3]["objects"]
    assert np.array_equal(clean.train[3]["image"], folder.render(clean.train[3]["objects"], (32, 32)))
    assert not np.array_equal(clean.train[3]["image"], usual.train[3]["image"])
    assert np.array_equal(usual.validation[3]["image"], clean.validation[3]["image"])
    with pytest.raises(OptionError, match="option 'render': noisy_shapes: unknown renderer 'blue'; known: noisy"):
        load_examples(replace(options, render="blue"), folder)


def test_a_share_of_the_scenes_is_plain(options):
    folder, options = load_language_folder("noisy_shapes"), replace(options, language="noisy_shapes", scene={})
    other = replace(options, scene={"min_objects": 13, "max_objects": 14}, render="clean")
    plain, varied, mixed = (
        load_examples(item, folder).train for item in (options, other, replace(other, plain_share=0.4))
    )
    sources = [plain if index in (2, 4, 7, 9) else varied for index in range(10)]
    for index, (example, source) in enumerate(zip(mixed.__getitems__(list(range(10))), sources, strict=True)):
        assert example["objects"] == source[index]["objects"] == mixed[index]["objects"]
        assert np.array_equal(example["image"], source[index]["image"])
    with pytest.raises(OptionError, match="'plain_share' must be a share from 0 to 1, not 1.5"):
        replace(options, plain_share=1.5)
    with pytest.raises(OptionError, match="option 'plain_share': .* recomposes given scenes"):
        load_examples(
            replace(options, plain_share=0.5), SimpleNamespace(**vars(folder), read_scenes=lambda split: None)
        )
    with pytest.raises(OptionError, match="option 'plain_share': of fresh scenes"):
        load_examples(replace(options, data="somewhere", plain_share=0.5, render=None), folder)


def test_a_batch_may_have_no_plain_scene_or_no_other(options):
    folder, options = load_language_folder(TOY), replace(options, scene={})
    plain = load_examples(options, folder).train
    mixed = load_examples(replace(options, scene={"max_objects": 1}, plain_share=0.1), folder).train
    assert all(len(example["objects"]) == 1 for example in mixed.__getitems__(list(range(8))))
    assert mixed[9]["objects"] == plain[9]["objects"]


def test_scenes_are_canonical(options):
    circle = {"category": "circle", "x": np.int64(3), "y": 4, "radius": None}
    line = {"category": "line", "x1": 9, "y1": 1, "x2": 2, "y2": 5, "arrow": False, "solid": True}
    module = load_language_folder("noisy_shapes")
    folder = SimpleNamespace(**vars(module) | {"sample_scene": lambda rng: [line, circle]})
    objects = [{**line, "x1": 2, "y1": 5, "x2": 9, "y2": 1}, {"category": "circle", "x": 3, "y": 4}]
    scenes = FreshScenes(folder, (32, 32), render="clean")
    assert scenes[5]["objects"] == objects and type(scenes[5]["objects"][1]["x"]) is int
    assert np.array_equal(scenes[5]["image"], module.render(objects, (32, 32)))
    processor = DerenderProcessor.from_language(module.LANGUAGE, [32, 32], 16)
    references = RLBatches(scenes, processor, 1, 0, None, language=module.LANGUAGE)[0]["references"]
    assert torch.equal(references, objects_to_tokens(module.LANGUAGE, [objects]))
    folder.sample_scene = lambda rng: [circle, {**line, "x2": 99}]
    with pytest.raises(SpecificationError, match="noisy_shapes: scene 5 of train: object 2: line: x2: 99"):
        scenes[5]


def test_a_renderer_that_draws_another_size_is_named(options):
    module = load_language_folder(TOY)
    folder = SimpleNamespace(**vars(module) | {"render_batch": lambda scenes, **_: np.zeros((len(scenes), 8, 8))})
    with pytest.raises(OptionError, match=r"option 'image_size': renderer by default: .* \(32, 32\), drew \(8, 8\)"):
        load_examples(options, folder)


class Counted:
    """Examples, and how many of them were asked for."""

    def __init__(self, examples):
        self.examples, self.asked = examples, 0

    def __getitem__(self, index):
        return self.examples[index]

    def __getitems__(self, indices):
        self.asked += len(indices)
        return self.examples.__getitems__(indices)


@pytest.mark.parametrize("order, draw_size", [("type", None), ("random_once", [64, 64])])
def test_kept_batches_are_those_that_are_drawn_anew(options, order, draw_size):
    folder = load_language_folder("noisy_shapes")
    options = replace(options, language="noisy_shapes", scene={}, draw_size=draw_size)
    examples = Counted(load_examples(options, folder).train)
    processor = DerenderProcessor.from_language(folder.LANGUAGE, options.image_size, 80)
    arguments = (examples, processor, 8, 5, 20, order, 80)
    anew, kept = TrainingBatches(*arguments), KeptBatches(*arguments)
    expected = [anew[step] for step in range(6)]
    examples.asked = 0

    def check(loaded, steps):
        loaded = [{**batch, "pixel_values": kept.normalize(batch["pixel_values"])} for batch in loaded]
        for batch, step in zip(loaded, steps, strict=True):
            same = expected[step]
            assert batch.keys() == same.keys() and all(torch.equal(batch[name], same[name]) for name in same)

    check([kept[step] for step in (0, 1)], (0, 1))
    assert examples.asked == kept.is_kept.sum() == 16
    check(list(load_batches(kept, 0, 6, num_workers=2)), range(6))
    assert kept.is_kept.all()  # by workers, for this process as well
    check([kept[step] for step in range(6)], range(6))
    assert examples.asked == 16


def test_pictures_of_a_folder_are_kept_whatever_their_mode(options):
    rng, language = np.random.default_rng(0), load_language_folder("noisy_shapes").LANGUAGE
    examples = []
    for mode, size in (("L", 32), ("1", 32), ("P", 40), ("RGB", 64), ("RGBA", 32), ("CMYK", 32), ("I;16", 32)):
        pixels = rng.integers(0, 256, (size, size), dtype=np.uint8)
        image = Image.fromarray(pixels * np.uint16(200)) if mode == "I;16" else Image.fromarray(pixels).convert(mode)
        examples.append({"image": image, "objects": [{"category": "circle", "x": 3, "y": len(examples) + 2}]})

    class Folder:
        def __getitems__(self, indices):
            return [examples[index] for index in indices]

    arguments = (Folder(), DerenderProcessor.from_language(language, [32, 32], 20), 7, 5, 7, "type", 20)
    anew, batches = TrainingBatches(*arguments)[3], KeptBatches(*arguments)
    kept = batches[3]
    assert torch.equal(anew["labels"], kept["labels"])
    assert torch.equal(anew["pixel_values"], batches.normalize(kept["pixel_values"]))


@pytest.mark.parametrize(
    "options",
    [{}, {"resample": 2}, {"do_rescale": False}, {"do_normalize": False}, {"image_mean": [0.9], "image_std": [0.3]}],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_seen_pictures_are_those_of_the_image_processor(options, channels):
    options = {name: value * channels if isinstance(value, list) else value for name, value in options.items()}
    defaults = {"image_mean": [1.0] * channels, "image_std": [0.5] * channels}
    images = DerenderImageProcessor(num_channels=channels, size={"height": 24, "width": 32}, **(defaults | options))
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in ((24, 32), (48, 70), (13, 9))]
    see = SeenPictures(images)
    seen = see([{"image": picture} for picture in pictures])
    assert seen.dtype == torch.uint8
    assert torch.equal(see.normalize(seen), images(pictures, return_tensors="pt")["pixel_values"])


class Reached(Exception):
    """Raised where a script loads its batches, with their stretch."""


def raise_stretch(batches, *arguments):
    raise Reached(batches.stretch)


@pytest.fixture(params=[256, 64])
def noisy(options, request):
    """The arguments of batches of five scenes whose image noise is drawn anew, also of those that are then shrunk."""
    folder = load_language_folder("noisy_shapes")
    size = [request.param] * 2
    options = replace(
        options, language="noisy_shapes", scene={}, render="pencil", image_noise="anew", image_size=size,
        draw_size=[256, 256],
    )  # fmt: skip
    return {
        "examples": load_examples(options, folder).train,
        "processor": DerenderProcessor.from_language(folder.LANGUAGE, options.image_size, 80),
        "batch_size": 5, "size": 5, "max_length": 80,
        "add_noise": find_image_noise(options, folder),
    }  # fmt: skip


def test_image_noise_is_drawn_anew_each_time(noisy):
    batches, plain = TrainingBatches(**noisy), TrainingBatches(**noisy | {"add_noise": None})
    first, second, drawn = (
        {index: item[step]["pixel_values"][k] for k, index in enumerate(item.indices(step))}
        for item, step in ((batches, 0), (batches, 1), (plain, 0))
    )
    for index, picture in first.items():
        assert len({pictures[index].numpy().tobytes() for pictures in (first, second, drawn)}) == 3
        assert 0 < (picture - drawn[index]).abs().mean() < 0.2
    assert torch.equal(batches[1]["pixel_values"], TrainingBatches(**noisy)[1]["pixel_values"])


def test_image_noise_is_added_before_pictures_are_shrunk(options):
    folder = load_language_folder("noisy_shapes")
    options = replace(
        options,
        language="noisy_shapes",
        render="pencil",
        image_noise="anew",
        image_size=[64, 64],
        draw_size=[256, 256],
    )
    noise, noisy = find_image_noise(options, folder), []

    def add(pictures, rngs):
        noisy.append(noise.add(pictures, rngs))
        return noisy[-1]

    processor = DerenderProcessor.from_language(folder.LANGUAGE, [64, 64], 80)
    batches = TrainingBatches([], processor, batch_size=3, add_noise=replace(noise, add=add))
    plain = np.full((3, 256, 256), 255, np.uint8)
    plain[:, 60:64, 60:200] = 0
    seen = batches.with_noise(torch.from_numpy(plain), step=0)
    averaged = noisy[0].reshape(3, 64, 4, 64, 4).mean(axis=(2, 4))
    assert (seen.numpy() == np.floor(averaged + 0.5)).all() and (noisy[0] != plain).any(axis=(1, 2)).all()


def test_image_noise_is_the_same_for_kept_pictures_and_for_any_number_of_processes_and_workers(noisy):
    batches, kept = TrainingBatches(**noisy), KeptBatches(**noisy)
    expected = [batches[step] for step in range(4)]
    for loaded in ([kept[step] for step in range(4)], list(load_batches(kept, 0, 4, num_workers=2))):
        for batch, same in zip(loaded, expected, strict=True):
            assert torch.equal(kept.normalize(batch["pixel_values"]), same["pixel_values"])
            assert torch.equal(batch["labels"], same["labels"])
    shares = [TrainingBatches(**noisy, num_processes=5, process=process)[2] for process in range(5)]
    assert torch.equal(torch.cat([share["pixel_values"] for share in shares]), expected[2]["pixel_values"])


def test_image_noise_depends_on_the_seed(noisy):
    # The same scenes in the same order: only the noise is of the seed.
    unseeded = noisy | {"batch_size": 1, "size": 1}
    seen = [TrainingBatches(**unseeded, seed=seed)[0] for seed in (0, 1)]
    assert torch.equal(seen[0]["labels"], seen[1]["labels"])
    assert not torch.equal(seen[0]["pixel_values"], seen[1]["pixel_values"])


def test_a_run_that_goes_on_from_another_sees_other_image_noise(noisy):
    batches = [TrainingBatches(**noisy, stretch=stretch) for stretch in (FIRST, FURTHER, REINFORCED)]
    assert all(item.indices(1) == batches[0].indices(1) for item in batches)
    assert len({item[1]["pixel_values"].numpy().tobytes() for item in batches}) == 3


def test_the_scripts_tell_a_run_that_goes_on_from_another(options, trained, tmp_path, monkeypatch):
    model, folders = f"{options.output_dir}/model", [str(tmp_path / name) for name in "abc"]
    first = replace(options, output_dir=folders[0])
    further = replace(options, output_dir=folders[1], initial_model=model)
    reinforced = RLOptions(model, folders[2], language=TOY, scene=options.scene, evaluation_size=2)
    for script in (train, rl_train):
        monkeypatch.setattr(script, "load_batches", raise_stretch)
    for script, changed, stretch in (
        (train, first, FIRST),
        (train, further, FURTHER),
        (rl_train, reinforced, REINFORCED),
    ):
        with pytest.raises(Reached) as reached:
            script.training_function(changed)
        assert reached.value.args == (stretch,)


def test_reinforcement_sees_image_noise(noisy):
    noisy["stretch"] = REINFORCED
    batches = RLBatches(**noisy, language=load_language_folder("noisy_shapes").LANGUAGE)
    seen = [batches.normalize(batches[step]["pixel_values"]) for step in (0, 1)]
    assert all(torch.equal(seen[step], TrainingBatches(**noisy)[step]["pixel_values"]) for step in (0, 1))


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"language": TOY}, "toy has none"),
        ({"render": None}, "drawn by default pictures have it; take as 'render' pencil, clean, tikz"),
        ({"render": "varied"}, "drawn by 'varied' pictures have it"),
        ({"render": "noisy"}, "drawn by 'noisy' pictures have it"),
        ({"data": "given", "render": None}, "drawn by default pictures have it"),
        ({"plain_share": 0.5}, "scenes of 'plain_share' are drawn with it"),
        ({"image_size": [64, 64]}, "image noise is added to square pictures of a multiple of 256 pixels, not of 64"),
    ],
)
def test_pictures_that_take_no_image_noise(options, changes, message):
    changed = replace(options, **{"language": "noisy_shapes", "render": "pencil", "image_noise": "anew"} | changes)
    with pytest.raises(OptionError, match=f"option 'image_noise': {message}"):
        find_image_noise(changed, load_language_folder(changed.language))


def test_a_language_that_names_no_renderer_without_image_noise(options):
    folder = SimpleNamespace(**vars(load_language_folder("noisy_shapes")))
    del folder.WITHOUT_IMAGE_NOISE
    with pytest.raises(OptionError, match="drawn by 'pencil' pictures have it; no WITHOUT_IMAGE_NOISE names another"):
        find_image_noise(replace(options, render="pencil", image_noise="anew", image_size=[256, 256]), folder)


def test_pictures_of_a_folder_take_image_noise(options):
    folder = load_language_folder("noisy_shapes")
    of_folder = replace(
        options, language="noisy_shapes", data="somewhere", render=None, image_noise="anew", image_size=[256, 256]
    )
    noise = find_image_noise(replace(of_folder, draw_size=[64, 64]), folder)  # which is for scenes drawn here
    assert (noise.add, noise.size) == (folder.add_image_noise, (256, 256))
    assert find_image_noise(replace(of_folder, image_noise=None), folder) is None


def raise_no_memory(tensor):
    raise RuntimeError("no memory")


def test_pictures_that_cannot_be_kept(options, monkeypatch):
    folder = load_language_folder(TOY)
    examples = load_examples(options, folder).train
    processor = DerenderProcessor.from_language(folder.LANGUAGE, options.image_size, 12)
    with pytest.raises(OptionError, match="option 'keep_pictures': the order is drawn anew each time"):
        KeptBatches(examples, processor, 8, 5, 20, "random", 12)
    with monkeypatch.context() as patch, pytest.raises(OptionError, match="'keep_pictures': no memory"):
        patch.setattr(torch.Tensor, "share_memory_", raise_no_memory)
        KeptBatches(examples, processor, 8, 5, 20, "type", 12)
    monkeypatch.setattr(kept_batches.shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(OptionError, match="they take 0.[1-9] GB, and .* has 0.0 GB free"):
        KeptBatches(examples, processor, 8, 5, 200_000, "type", 12)


def test_scenes_may_be_drawn_larger_than_the_model_sees_them(options, trained):
    folder = load_language_folder(TOY)
    larger = replace(options, draw_size=[64, 64])
    examples = load_examples(larger, folder)
    assert {item["image"].shape[:2] for item in (examples.train[0], *examples.validation)} == {(64, 64)}
    processor = DerenderProcessor.from_pretrained(f"{options.output_dir}/model")
    (seen,) = TrainingBatches(examples.train, processor, 1, seed=0)[0]["pixel_values"]
    assert seen.shape[1:] == (32, 32)
    assert torch.equal(seen, processor(images=[examples.train[0]["image"]])["pixel_values"][0])
    with pytest.raises(OptionError, match="draw_size"):
        replace(options, draw_size=[0, 64])


# Folders of pictures

DOTS = [[{"category": "dot", "x": index, "y": 0}] for index in range(3)]


def write_pictures(folder: Path, all_objects: list[list[dict]]) -> Path:
    """An imagefolder of blank pictures."""
    folder.mkdir(parents=True)
    with (folder / "metadata.jsonl").open("w") as metadata:
        for index, objects in enumerate(all_objects):
            Image.fromarray(np.full((8, 8), 255, np.uint8)).save(folder / f"{index}.png")
            metadata.write(json.dumps({"file_name": f"{index}.png", "objects": objects}) + "\n")
    return folder


def test_reads_a_folder_of_pictures(options, tmp_path):
    write_pictures(tmp_path / "train", DOTS)
    write_pictures(tmp_path / "validation", DOTS)
    toy = load_language_folder(TOY)
    changed = replace(options, data=str(tmp_path), train_size=2, evaluation_size=2)
    examples = load_examples(changed, toy)
    batches = TrainingBatches(examples.train, train.build_model(options, toy.LANGUAGE)[1], 2, size=examples.size)
    assert examples.size == 2 and {batches.index(position) for position in range(8)} == {0, 1}
    assert batches[0]["pixel_values"].shape == (2, 1, 32, 32)
    assert [example["objects"] for example in examples.validation] == DOTS[:2]
    assert len(load_examples(replace(changed, data=str(tmp_path / "train")), toy).validation) == 2
    with pytest.raises(OptionError, match="'train_size': .* has only 3"):
        load_examples(replace(changed, train_size=4), toy)
    for split in ("train", "validation"):
        (tmp_path / split / "metadata.jsonl").unlink()
    with pytest.raises(OptionError, match="has no column 'objects'"):
        load_examples(changed, toy)


def test_a_folder_of_pictures_takes_no_renderer(options, tmp_path):
    data = str(write_pictures(tmp_path / "data", DOTS))
    with pytest.raises(OptionError, match="option 'render': the pictures of .* are drawn already; leave it out"):
        load_examples(replace(options, data=data, render="negative"), load_language_folder(TOY))


def test_scene_options_are_checked_beside_a_folder_of_pictures_too(options, tmp_path):
    changed = replace(options, data=str(write_pictures(tmp_path / "data", DOTS)), scene={"max_object": 1})
    with pytest.raises(OptionError, match="option 'scene': .* has no 'max_object'; did you mean 'max_objects'"):
        load_examples(changed, load_language_folder(TOY))


def test_a_run_opens_its_folder_once(options, tmp_path, monkeypatch):
    data, opened = write_pictures(tmp_path / "data", DOTS), []

    def read_imagefolder(*arguments):
        opened.append(arguments[0])
        return data_folder_reader(*arguments)

    data_folder_reader = data_folder.read_imagefolder
    monkeypatch.setattr(data_folder, "read_imagefolder", read_imagefolder)
    changed = replace(options, output_dir=str(tmp_path / "run"), data=str(data), steps=1, evaluation_size=2)
    assert train.training_function(changed).finished
    assert opened == [data]


@pytest.mark.parametrize(
    "item, message",
    [
        ({"category": "star", "x": 1}, "object 1: unknown category 'star'"),
        ({"category": "dot", "x": 8, "y": 0}, "object 1: dot: x: 8 is not one of 0..7"),
    ],
)
def test_bad_objects_are_named_before_training(options, tmp_path, item, message):
    data = write_pictures(tmp_path / "data", [*DOTS, [item]])
    with pytest.raises(OptionError, match=f"metadata.jsonl, line 4: {message}"):
        train.training_function(replace(options, output_dir=str(tmp_path / "run"), data=str(data)))
    assert not (tmp_path / "run").exists()


def test_missing_picture_is_named_before_training(options, tmp_path):
    data = write_pictures(tmp_path / "data", DOTS)
    (data / "1.png").unlink()
    with pytest.raises(OptionError, match="metadata.jsonl, line 2: .*1.png: no such file"):
        load_examples(replace(options, data=str(data)), load_language_folder(TOY))


def test_broken_picture_ends_the_script_with_its_line(options, tmp_path):
    data = write_pictures(tmp_path / "data", DOTS)
    (data / "1.png").write_bytes((data / "0.png").read_bytes()[:50])
    changed = replace(options, output_dir=str(tmp_path / "run"), data=str(data), num_workers=1)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(vars(changed)))
    with pytest.raises(SystemExit, match=r"^error: \S*metadata.jsonl, line 2: \S*1.png: cannot be read"):
        train.main([str(recipe)])


@pytest.mark.parametrize(
    "image, objects, message",
    [
        (None, DOTS[0], "has no picture"),
        ("truncated", DOTS[0], "truncated|broken|cannot identify"),
        ("whole", [{"category": "dot", "x": 8, "y": 0}], "object 1: dot: x: 8 is not one of 0..7"),
    ],
)
def test_bad_examples_of_other_data_are_named(options, tmp_path, image, objects, message):
    content = (write_pictures(tmp_path / "pictures", DOTS) / "0.png").read_bytes()
    images = {None: None, "whole": content, "truncated": content[:50]}
    rows = [{"image": {"bytes": images[kind]}, "objects": of} for kind, of in [("whole", DOTS[0]), (image, objects)]]
    rows[1]["image"] = rows[1]["image"] if image else None
    table = datasets.Dataset.from_list(rows).cast_column("image", datasets.Image())
    table.save_to_disk(tmp_path / "data")
    toy = load_language_folder(TOY)
    examples = load_examples(replace(options, data=str(tmp_path / "data")), toy)
    batches = TrainingBatches(examples.train, train.build_model(options, toy.LANGUAGE)[1], 2, size=2)
    with pytest.raises(ValueError, match=f"^{tmp_path / 'data'}, split train, example 1: .*({message})"):
        list(load_batches(batches, 0, 1, num_workers=1))
