#!/usr/bin/env python3
"""Loss and gradient of a step of each fine-tuning method against PyTorch in float32, as it is
installed, on other cases than those of tests/fixtures/methods.bin. Argument: the unit test's program.
"""
import os
import subprocess
import sys
import tempfile

try:
    import numpy  # noqa: F401
    import torch
except ImportError:
    print("PyTorch is not installed")
    sys.exit(77)

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "fixtures"))
from make_methods import write  # noqa: E402

with tempfile.TemporaryDirectory() as folder:
    for seed in range(100, 200, 10):
        path = os.path.join(folder, "methods.bin")
        write(path, seed, torch.float32)
        subprocess.run([sys.argv[1]], env=dict(os.environ, AUXSEG_METHODS=path), check=True)
