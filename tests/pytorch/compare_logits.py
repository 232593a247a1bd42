#!/usr/bin/env python3
"""compare_logits.py LOGITS [WEIGHTS BACKBONE STAGES STRIDE HEAD HEAD_CHANNELS CLASSES]: the program's logits against
PyTorch's, weights loaded with strict=True. LOGITS is the program tests/pytorch/logits.c. Without more arguments every
head and several encoders with random weights are compared. Fails above a relative error (L2) of 1e-4.
Exit code 77: PyTorch is not installed."""
import os
import subprocess
import sys
import tempfile

try:
    import torch
except ImportError:
    print("PyTorch is not installed")
    sys.exit(77)
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import networks

HEIGHT, WIDTH, LIMIT = 97, 130, 1e-4


def picture():
    i = torch.arange(HEIGHT, dtype=torch.float64)[None, :, None]
    j = torch.arange(WIDTH, dtype=torch.float64)[None, None, :]
    c = torch.arange(3, dtype=torch.float64)[:, None, None]
    return torch.sin(0.1 * (7 * i + 3 * j + 11 * c) + 0.001 * i * j).float()[None]


def compare(program, weights, backbone, stages, stride, head, channels, classes, **kind):
    with tempfile.TemporaryDirectory() as folder:
        weights = weights or os.path.join(folder, "weights.safetensors")
        out = os.path.join(folder, "logits")
        arguments = [backbone, stages, stride, head, channels, classes, HEIGHT, WIDTH]
        arguments += [kind.get("stem", "plain"), kind.get("stride_in", "3x3")]
        subprocess.run([program, weights, out] + [str(a) for a in arguments], check=True, stdout=subprocess.DEVNULL)
        net = networks.Network(backbone, stages, stride, head, channels, classes, **kind).eval()
        net.load_state_dict(networks.read_safetensors(weights), strict=True)
        with torch.no_grad():
            expected = net(picture()).permute(0, 2, 3, 1).flatten()
        ours = torch.frombuffer(bytearray(open(out, "rb").read()), dtype=torch.float32)
    error = ((ours - expected).norm() / expected.norm()).item() if len(ours) == len(expected) else float("inf")
    spread = (expected.std() / expected.abs().mean()).item()
    assert spread > 0.01, "the logits hardly depend on the picture: they would hide an error"
    print(f"{backbone} {kind or ''} stages {stages} stride {stride} {head} {channels}: relative error {error:.1e}")
    return error <= LIMIT


program, given = sys.argv[1], sys.argv[2:]
if given:
    good = compare(program, given[0], given[1], int(given[2]), int(given[3]), given[4], int(given[5]), int(given[6]))
else:
    cases = [("resnet18", 4, 8, "fcn", 0, 21), ("resnet18", 3, 8, "deeplabv3plus", 64, 11),
             ("resnet34", 4, 32, "deeplabv3", 0, 19), ("resnet50", 4, 8, "deeplabv3", 0, 21),
             ("resnet50", 4, 16, "deeplabv3plus", 0, 19)]
    good = all([compare(program, None, *case) for case in cases])
    kinds = [("resnet50", 4, 8, "fcn", 0, 19, {"stem": "deep"}),
             ("resnet50", 4, 16, "fcn", 0, 19, {"stem": "deep", "stride_in": "1x1"}),
             ("squeezenet1_0", 3, 8, "fcn", 0, 21, {}), ("squeezenet1_1", 3, 16, "deeplabv3plus", 32, 21, {})]
    good = all([compare(program, None, *case, **kind) for *case, kind in kinds]) and good
sys.exit(0 if good else 1)
