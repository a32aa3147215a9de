"""A frozen model of each decoder makes of some pictures what it made of them when it was frozen."""

import json

import pytest
import torch
from golden import DECODERS, GOLDEN, describe, read_pictures


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_frozen_model_says_what_it_said(decoder):
    expected = json.loads((GOLDEN / decoder / "expected.json").read_text())
    found = describe(GOLDEN / decoder, read_pictures(GOLDEN / "pictures"))
    assert found["tokens"] == expected["tokens"]
    assert found["beams"] == expected["beams"]
    torch.testing.assert_close(torch.tensor(found["logits"]), torch.tensor(expected["logits"]), atol=1e-3, rtol=1e-3)
