"""Prints the oldest versions that setup.py admits, as constraints for pip: python tests/oldest.py"""

import re
from pathlib import Path


SETUP = Path(__file__).parents[1] / "setup.py"

for name, version in re.findall(r'"([\w-]+)>=([\w.]+)', SETUP.read_text(encoding="utf-8")):
    print(f"{name}=={version}")
