"""The scripts under `accelerate launch`, by the example configuration: processes on the CPU."""

import os
import subprocess
import sys
from pathlib import Path


ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / "configs" / "accelerate"


def launch(script: str, *arguments, num_processes: int = 2) -> subprocess.CompletedProcess:
    command = [Path(sys.executable).with_name("accelerate"), "launch", "--config_file", CONFIGS / "gpus.yaml"]
    command += ["--num_processes", str(num_processes), "--main_process_port", "0", ROOT / script, *map(str, arguments)]
    settings = {
        "ACCELERATE_USE_CPU": "true",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, cwd=ROOT)
