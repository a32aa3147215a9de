"""Imported before Transformers: where it copies a model's own code to run it, a folder of this test run's."""

import atexit
import os
import shutil
import tempfile


os.environ["HF_MODULES_CACHE"] = tempfile.mkdtemp(prefix="hf_modules_")
atexit.register(shutil.rmtree, os.environ["HF_MODULES_CACHE"], ignore_errors=True)
