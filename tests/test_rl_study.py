"""The study of reinforcement: its runs can be carried out, and its summary finds what was put in."""

import numpy as np
import pytest

import eval as eval_script
from derender_training.options import read_options
from experiments.rl_study import KINDS, MEASURES, STUDIES, as_markdown, list_runs, summarize
from experiments.runs import OPTIONS_OF


@pytest.mark.parametrize("name", STUDIES)
def test_every_run_has_options_that_fit(name, tmp_path):
    runs = list_runs(name, tmp_path, 2, 1.5, 7, "clips")
    assert runs.keys() == {"start", *((kind, seed) for kind in KINDS for seed in range(2))}
    checkpoint = f"{tmp_path}/start/training/model"
    for key, run in runs.items():
        training, evaluation = run.commands
        options = read_options(OPTIONS_OF[run.script], training[2:])
        assert options.data_dir == "clips"
        if key != "start":
            assert (options.seed, options.max_minutes, options.schedule) == (100 + key[1], 1.5, "cosine")
            assert checkpoint == (options.checkpoint if key[0] == "reinforcement" else options.initial_model)
        parsed = eval_script.parse_options(evaluation[2:])
        assert (parsed.data, parsed.split, parsed.data_dir) == (name, "test", "clips")
        assert parsed.size == (7 if name == "noisy_shapes" else None)
    assert options.metric == STUDIES[name].optimised


@pytest.mark.parametrize("optimised, better", [("iou", 1), ("reconstruction_error", -1)])
def test_the_summary_finds_what_was_put_in(optimised, better):
    base = np.random.default_rng(0).random(300)

    def evaluation(change, seed):
        values = base + change + 0.01 * seed
        return {
            **dict.fromkeys(MEASURES, 0.5), optimised: float(values.mean()), "steps": 10 + seed,
            "predictions": [{optimised: float(value)} for value in values],
        }  # fmt: skip

    evaluations = {"start": evaluation(0, 0)}
    evaluations |= {("cross-entropy", seed): evaluation(0.01, seed) for seed in range(3)}
    evaluations |= {("reinforcement", seed): evaluation(0.01 + 0.05 * better, seed) for seed in range(3)}
    result = summarize(evaluations, optimised)
    assert result["gain"]["mean"] == pytest.approx(0.05)
    assert result["gain"]["interval"] == pytest.approx((0.05, 0.05)) and result["gain"]["p"] < 0.01
    assert result["rows"]["reinforcement"][optimised] == pytest.approx(base.mean() + 0.02 + 0.05 * better)
    result["study"] = {
        "start_minutes": 1.0, "minutes": 2.0, "seeds": 3, "pictures": 300, "learning_rates": [1e-4, 3e-5],
        "hardware": ["a machine"], "commits": ["abc"],
    }  # fmt: skip
    table = as_markdown("noisy_shapes", result)
    for part in (
        "CPU scale, not the paper's",
        "a machine",
        "Commit abc",
        "0.0001 and 3e-05",
        "gains 5.00 [5.00, 5.00]",
        "10, 11, 12",
    ):
        assert part in table
