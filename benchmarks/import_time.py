"""How long the package takes to import beside Transformers' own AutoModel: python benchmarks/import_time.py

Two pairs, each import in new processes that take turns; ratios are of medians. `import modeling_derender` beside `from
transformers import AutoModel`, both of which import little; and our model's class beside a small BERT by AutoModel,
for which both import what a model needs. Exits with 1 where a ratio is 1.5 or more.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path


BOUND = 1.5
ROUNDS = 5
ROOT = Path(__file__).parent.parent
SMALL_BERT = "BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, vocab_size=9)"
PAIRS = (
    ("import modeling_derender", "from transformers import AutoModel"),
    (
        "from modeling_derender import DerenderForConditionalGeneration",
        f"from transformers import AutoModel, BertConfig; AutoModel.from_config({SMALL_BERT})",
    ),
)


def time_import(code: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main() -> int:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    seconds = {code: [] for pair in PAIRS for code in pair}
    for turn in range(ROUNDS + 1):
        for code, times in seconds.items():
            measured = time_import(code)
            if turn:  # the first fills the disk's cache
                times.append(measured)
    medians = {code: statistics.median(times) for code, times in seconds.items()}
    ratios = [medians[ours] / medians[theirs] for ours, theirs in PAIRS]
    for pair, ratio in zip(PAIRS, ratios, strict=True):
        for code in pair:
            print(f"{medians[code]:7.2f} s  {code.split(';')[0]}")
        print(f"{ratio:7.2f}    ratio (bound {BOUND})")
    return int(max(ratios) >= BOUND)


if __name__ == "__main__":
    sys.exit(main())
