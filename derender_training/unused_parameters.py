"""Parameters of a backbone that lie behind its feature map: several processes would wait for their gradients."""

from __future__ import annotations

import torch

from modeling_derender.modeling_derender import DerenderForConditionalGeneration


@torch.enable_grad()
def freeze_unused(model: DerenderForConditionalGeneration) -> None:
    """Let the backbone's parameters on which its map does not depend have no gradient.

    timm cuts some networks between blocks, and keeps the whole of the block group that it cuts.
    """
    backbone = model.encoder.backbone
    parameters, was_training = list(backbone.parameters()), backbone.training
    blank = torch.zeros(1, model.config.num_channels, *model.config.image_size, device=model.device)
    backbone.eval()  # statistics stay, and no random number is drawn
    gradients = torch.autograd.grad(backbone(blank).sum(), parameters, allow_unused=True)
    backbone.train(was_training)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        if gradient is None:
            parameter.requires_grad_(False)
