"""Which floating-point format to train in."""

from __future__ import annotations

import torch


def choose_precision(mixed_precision: str) -> str:
    """Resolve "auto": "bf16" where the GPU, or else the CPU (AMX), multiplies bfloat16 matrices natively, or "no"."""
    if mixed_precision != "auto":
        return mixed_precision
    if torch.cuda.is_available():
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = not torch.accelerator.is_available() and torch.cpu._is_amx_tile_supported()
    return "bf16" if native else "no"
