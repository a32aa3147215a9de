"""One of several processes that predict together: predict_process.py OUT.json

Each has other BatchNorm statistics, as they are after a step on its own pictures. The first writes what all predicted
together, and what each predicts of all pictures alone.
"""

import json
import sys

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from tiny import tiny_model
from toy_language import LANGUAGE

from derender_training.evaluation import predict
from modeling_derender.processing_derender import DerenderProcessor


torch.set_num_threads(1)
accelerator = Accelerator(cpu=True)
processor = DerenderProcessor.from_language(LANGUAGE, [32, 32], 14)
shades = np.random.default_rng(0).integers(0, 256, (7, 32, 32), dtype=np.uint8)
examples = [{"image": shade} for shade in shades]
model = tiny_model()
torch.manual_seed(1 + accelerator.process_index)
for name, buffer in model.named_buffers():
    if "running_mean" in name:
        buffer.normal_()
alone = gather_object([predict(model, processor, examples)])
together = predict(model, processor, examples, batch_size=2, accelerator=accelerator)
if accelerator.is_main_process:
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump({"alone": alone, "together": together}, file)
accelerator.end_training()
