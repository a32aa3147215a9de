"""How long `import modeling_derender` takes beside Transformers' own AutoModel: python benchmarks/import_time.py

Each in new processes that take turns; the ratio is of medians. AutoModel's is the time until its class can be used,
`AutoModel.from_config` on a small BERT included, since Transformers imports a model's code only then. Exits with 1
where the ratio is 1.5 or more.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path


BOUND = 1.5
ROUNDS = 5
ROOT = Path(__file__).parent.parent
OURS = "import modeling_derender"
THEIRS = "from transformers import AutoModel"
USED = (
    "from transformers import AutoModel, BertConfig;"
    "AutoModel.from_config(BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, vocab_size=9))"
)


def time_import(code: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main() -> int:
    seconds = {code: [] for code in (OURS, THEIRS, USED)}
    for turn in range(ROUNDS + 1):
        for code, times in seconds.items():
            measured = time_import(code)
            if turn:  # the first fills the disk's cache
                times.append(measured)
    medians = {code: statistics.median(times) for code, times in seconds.items()}
    for code, median in medians.items():
        print(f"{median:7.2f} s  {code.split(';')[0]}")
    return int(medians[OURS] >= BOUND * medians[THEIRS])


if __name__ == "__main__":
    sys.exit(main())
