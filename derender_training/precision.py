"""Which floating-point format to train in."""

from __future__ import annotations

import torch


def choose_precision(mixed_precision: str) -> str:
    """Resolve "auto": "bf16" where the GPU, or else the CPU, multiplies bfloat16 matrices natively, or "no"."""
    if mixed_precision != "auto":
        return mixed_precision
    if torch.cuda.is_available():
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        on_cpu = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
        native = not torch.accelerator.is_available() and on_cpu
    return "bf16" if native else "no"
