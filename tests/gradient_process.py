"""One of several processes, or the only one, that take a gradient together: gradient_process.py OUT.safetensors

Each has its part of one batch, whose labels are of unlike lengths. The first writes the gradient.
"""

import sys

import torch
from accelerate import Accelerator
from safetensors.torch import save_file
from tiny import tiny_model
from toy_language import LANGUAGE

from derender_training.training_options import TrainingOptions
from modeling_derender.processing_derender import IGNORED_LABEL
from train import cross_entropy


torch.set_num_threads(1)
accelerator = Accelerator(cpu=True)
model = accelerator.prepare(tiny_model())
find_gradient = cross_entropy(
    accelerator, model, TrainingOptions(language="toy", output_dir="none"), torch.Tensor.float
)
model.eval()  # BatchNorm's statistics in training are those of each process's own pictures
generator = torch.Generator().manual_seed(0)
pictures = torch.randn(6, 1, 32, 32, generator=generator)
labels = torch.randint(0, LANGUAGE.vocab_size, (6, 9), generator=generator)
for row, length in zip(labels, (9, 8, 9, 1, 2, 1), strict=True):
    row[length:] = IGNORED_LABEL
size = 6 // accelerator.num_processes
own = slice(accelerator.process_index * size, (accelerator.process_index + 1) * size)
find_gradient({"pixel_values": pictures[own], "labels": labels[own]}, 0)
if accelerator.is_main_process:
    bare = accelerator.unwrap_model(model)
    save_file({name: item.grad for name, item in bare.named_parameters() if item.grad is not None}, sys.argv[1])
accelerator.end_training()
