"""Rewards in image space: equation 14 is one minus the metric, equation 13 is that of a plain blur."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from modeling_derender.image_rewards import LEAST_DISTANCE, blur_reward, bucket_reward
from modeling_derender.reconstruction_error import reconstruction_error


def pictures(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("shape", [(4, 17, 15), (4, 17, 15, 3)])
def test_the_share_of_right_pixels_is_one_minus_the_metric(shape):
    targets = pictures(*shape)
    drawn = targets.copy()
    where = np.random.default_rng(1).random(shape[:3]) < 0.4
    drawn[where] = pictures(*shape, seed=2)[where]
    rewards = bucket_reward(torch.from_numpy(drawn), torch.from_numpy(targets))
    assert rewards.dtype == torch.float32
    for reward, *pair in zip(rewards.tolist(), drawn, targets, strict=True):
        assert reward == pytest.approx(1 - reconstruction_error(*([side] for side in pair)), abs=1e-6)
        assert 0.5 < reward < 0.75


@pytest.mark.parametrize("blur", [0.0, 0.3, 1.0])
def test_the_distance_is_that_of_a_plain_blur(blur):
    drawn, targets = pictures(3, 32, 32), pictures(3, 32, 32, seed=1)
    ink, wanted = 1 - drawn / 255, 1 - targets / 255
    deviation = blur * 2  # 32 pixels for 16 units
    blurred = gaussian_filter(ink, (0, deviation, deviation), mode="constant") if blur else ink
    expected = 1 / (((wanted - blurred) ** 2).sum((1, 2)) / 4)
    rewards = blur_reward(torch.from_numpy(drawn), torch.from_numpy(targets), 16, blur)
    np.testing.assert_allclose(rewards.numpy(), expected, rtol=1e-2 if blur else 1e-4)
    twice = blur_reward(torch.from_numpy(drawn), torch.from_numpy(targets), 16, blur, scale=2.0)
    torch.testing.assert_close(twice, 2 * rewards)


def test_the_same_picture_has_a_finite_reward_and_no_other_more():
    blank, other = np.full((2, 16, 16), 255, np.uint8), pictures(2, 16, 16)
    same, far = (blur_reward(torch.from_numpy(drawn), torch.from_numpy(blank), 16) for drawn in (blank, other))
    assert same.tolist() == pytest.approx([1 / LEAST_DISTANCE] * 2)
    assert (far < same).all() and (far > 0).all()


def test_the_distance_is_of_the_canvas_whatever_the_resolution():
    coarse, other = pictures(3, 16, 16), pictures(3, 16, 16, seed=1)
    fine = [torch.from_numpy(side.repeat(4, 1).repeat(4, 2)) for side in (coarse, other)]
    rewards = blur_reward(*fine, 16, blur=0.0)
    torch.testing.assert_close(rewards, blur_reward(torch.from_numpy(coarse), torch.from_numpy(other), 16, blur=0.0))
