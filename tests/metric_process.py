"""One of several processes that score together: metric_process.py CACHE NUMBER OF_HOW_MANY FOLDER PAIRS.json ...

Prints the scores of each metric's folder, a line each, in the first process. Its share of the pairs is every
OF_HOW_MANY-th from NUMBER on.
"""

import json
import sys

import evaluate


cache, number, num_processes, *data = sys.argv[1:]
number, num_processes = int(number), int(num_processes)
together = {"num_process": num_processes, "process_id": number, "experiment_id": "together", "cache_dir": cache}
for folder, pairs in zip(data[::2], data[1::2], strict=True):
    metric = evaluate.load(folder, **together)
    with open(pairs, encoding="utf-8") as file:
        mine = json.load(file)[number::num_processes]
    for start in range(0, len(mine), 2):
        batch = mine[start : start + 2]
        metric.add_batch(predictions=[pair[0] for pair in batch], references=[pair[1] for pair in batch])
    scores = metric.compute()
    if number == 0:
        print(json.dumps(scores))
