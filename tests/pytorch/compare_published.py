#!/usr/bin/env python3
"""compare_published.py AUXSEG [BACKBONE]: features by `auxseg extract` of a ResNet with random weights, in files that
torch.save wrote under the names of MoCo v2, SwAV, DINO, mmsegmentation (deep stem), timm (deep stem) and detectron2 (BGR
from 0 to 255, stride in the 1x1), beside PyTorch's in float64. Measured is the length of the difference of a pixel's two
feature vectors, each of length 1: the largest of all pixels, at most 1e-4 in fp32.
Also: `auxseg convert --to` writes what PyTorch's networks load with strict=True, and gives the same features back.
Exit code 77: PyTorch is not installed."""
import argparse
import os
import subprocess
import sys
import tempfile

try:
    import numpy
    import torch
except ImportError as missing:
    print(f"not installed: {missing}")
    sys.exit(77)
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import networks  # noqa: E402
from pictures import picture, write_png  # noqa: E402

LIMIT, HEIGHT, WIDTH = 1e-4, 97, 130
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
CONFIG = """run: {{ dir = "run"; resume = "never"; threads = 2; }};
dataset: {{ layout = "folder"; root = "images"; }};
model: {{ backbone = "{backbone}"; dtype = "f32"; }};
extract: {{ weights = "{weights}"; layers = "layer4,layer2"; npy = "x.npy"; }};
"""


def prefixed(prefix, state):
    return {prefix + name: value for name, value in state.items()}


def junk(*names):
    return {name: torch.randn(4, 3) for name in names}


def detectron(state):
    out = {}
    for n, value in state.items():
        if n.endswith("num_batches_tracked"):
            continue
        n = n if "layer" in n else "stem." + n
        for t in (4, 3, 2, 1):
            n = n.replace(f"layer{t}", f"res{t + 1}").replace(f"bn{t}", f"conv{t}.norm")
        out["backbone.bottom_up." + n.replace("downsample.0", "shortcut").replace("downsample.1", "shortcut.norm")] = value
    return out


def timm_deep(state):
    change = {f"stem.{k}.": f"conv1.{k}." for k in (0, 1, 3, 4, 6)} | {"stem.7.": "bn1."}
    return {next((to + n[len(k):] for k, to in change.items() if n.startswith(k)), n): v for n, v in state.items()}


# What a project's file holds, how its network is built, and which input it wants; one more word: of the log.
PROJECTS = {
    "MoCo v2": (lambda s: {"epoch": 200, "arch": "resnet50", "state_dict": {
        **prefixed("module.encoder_q.", s), **junk("module.encoder_q.fc.0.weight", "module.queue"),
        **prefixed("module.encoder_k.", {n: v + 1 for n, v in s.items()})}}, {}, '"moco"'),
    "SwAV": (lambda s: {**prefixed("module.", s), **junk("module.prototypes.weight")}, {}, '"parallel"'),
    "DINO": (lambda s: {"epoch": 1, "args": argparse.Namespace(lr=0.1, arch="resnet50"), "best": numpy.float64(0.5),
                        "teacher": {**prefixed("backbone.", s), **junk("head.mlp.0.weight")},
                        "student": prefixed("module.backbone.", {n: v + 1 for n, v in s.items()})}, {}, '"torchvision"'),
    "mmsegmentation": (lambda s: {"meta": {"epoch": 1}, "state_dict": {
        **prefixed("backbone.", s), **junk("decode_head.conv_seg.weight", "auxiliary_head.conv_seg.weight")}},
        {"stem": "deep"}, '"torchvision"'),
    "timm": (timm_deep, {"stem": "deep"}, '"timm"'),
    "detectron2": (lambda s: {"model": detectron(s), "iteration": 1}, {"stride_in": "1x1"}, '"detectron2-fpn"'),
}


def network(backbone, kind):
    """Random weights and statistics that keep the signal alive and differ from channel to channel."""
    torch.manual_seed(1)
    net = networks.ResNet(backbone, 4, 8, **kind).eval()
    with torch.no_grad():
        for name, module in net.named_modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.2)
                module.bias.normal_(0, 0.2)
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.6, 1.5)
    return net


def expected(net, rgb, caffe):
    x = torch.from_numpy(rgb).double()
    if caffe:
        x = x.flip(2) - torch.tensor([103.53, 116.28, 123.675]).double()
    else:
        x = (x / 255 - torch.tensor(IMAGENET[0])) / torch.tensor(IMAGENET[1])
    with torch.no_grad():
        stages = net.double()(x.permute(2, 0, 1)[None])
    net.float()
    rows = torch.cat([stages[3], stages[1]], 1)[0].permute(1, 2, 0).flatten(0, 1)
    return (rows / rows.norm(dim=1, keepdim=True)).numpy()


def run(program, folder, *arguments):
    result = subprocess.run([program, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        print(result.stdout)
        sys.exit(1)
    return result.stdout


def features(program, folder, backbone, weights):
    with open(os.path.join(folder, "a.cfg"), "w") as file:
        file.write(CONFIG.format(backbone=backbone, weights=weights))
    run(program, folder, "pack", "a.cfg")
    log = run(program, folder, "extract", "a.cfg")
    return numpy.load(os.path.join(folder, "x.npy")), log


def largest(have, want):
    return numpy.linalg.norm(have - want, axis=1).max() if have.shape == want.shape else numpy.inf


def compare(program, project, backbone, rgb, folder):
    write, kind, rule = PROJECTS[project]
    net = network(backbone, kind)
    torch.save(write(net.state_dict()), os.path.join(folder, "w.pth"))
    want = expected(net, rgb, project == "detectron2")
    spread = numpy.linalg.norm(want - want.mean(0), axis=1).mean()
    assert spread > 0.02, f"features hardly depend on the pixel ({spread}): they would hide an error"
    have, log = features(program, folder, backbone, "w.pth")
    error = largest(have, want)
    print(f"{backbone}, {project}: at most {error:.1e}", flush=True)
    good = error <= LIMIT and rule in log
    # Out to where PyTorch's own description loads it, strictly; and read again.
    to = "mmseg" if kind else "torchvision"
    run(program, folder, "convert", "w.pth", "out.safetensors", "--to", to)
    back = networks.read_safetensors(os.path.join(folder, "out.safetensors"))
    back = {n.removeprefix("backbone."): v for n, v in back.items() if not n.startswith(("decode_head", "fc."))}
    missing = set(net.state_dict()) - set(back)
    assert all(n.endswith("num_batches_tracked") for n in missing) and not set(back) - set(net.state_dict()), missing
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in back.items())
    again, _ = features(program, folder, backbone, "out.safetensors")
    return good and numpy.array_equal(again, have)


program, backbone = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "resnet50"
with tempfile.TemporaryDirectory() as folder:
    rgb = picture(HEIGHT, WIDTH)
    os.mkdir(os.path.join(folder, "images"))
    write_png(os.path.join(folder, "images", "one.png"), rgb)
    results = [compare(program, project, backbone, rgb, folder) for project in PROJECTS]
sys.exit(0 if all(results) else 1)
