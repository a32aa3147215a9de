"""What the training and evaluation scripts share: options, data, schedule, log, checkpoints, evaluation."""
