#!/usr/bin/env python3
"""Loss and gradient of the dense half of DenseCL against PyTorch in float32, as it is installed, on other
cases than those of tests/fixtures/dense_nce.bin. Argument: the unit test's program.
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
from make_dense_nce import write  # noqa: E402

with tempfile.TemporaryDirectory() as folder:
    for seed in range(100, 200, 10):
        path = os.path.join(folder, "dense_nce.bin")
        write(path, seed, torch.float32)
        subprocess.run([sys.argv[1]], env=dict(os.environ, AUXSEG_DENSE_NCE=path), check=True)
