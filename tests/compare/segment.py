#!/usr/bin/env python3
"""Speed and memory of `auxseg bench extract|train` beside PyTorch, on one core, in pairs.

segment.py extract|train [--depth 18|50] [--crop C] [--batch B] [--stride 8|16] [--dtype f32|bf16]
           [--steps S] [--pairs P] [--core C] [-- BENCH OPTIONS...]

Each pair runs auxseg and then PyTorch on the same work, pinned to one core: extraction by the trunk
with its norms folded into the convolutions, or training steps of DeepLabV3 (forward, cross-entropy on
upsampled logits, backward, SGD with momentum), channels last. Printed are the medians of the pairs'
ratios. Needs torch; AUXSEG names the program (build/auxseg).
"""
import json
import os
import resource
import statistics
import subprocess
import sys
import time

OPTIONS = {"--depth": "50", "--crop": "256", "--batch": "4", "--stride": "8", "--dtype": "f32",
           "--steps": "3"}
CLASSES = 19


def median_seconds(work, steps):
    work()
    times = []
    for _ in range(steps):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def fold_norms(module):
    from torch import nn

    for child in module.modules():
        names = list(child._modules)
        for conv, norm in zip(names, names[1:] if isinstance(child, nn.Sequential) else
                              [n.replace("conv", "bn") for n in names]):
            first, second = child._modules[conv], child._modules.get(norm)
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                child._modules[conv] = nn.utils.fusion.fuse_conv_bn_eval(first, second)
                child._modules[norm] = nn.Identity()


def peer(work, options):
    """One measurement of PyTorch's, as a line of JSON."""
    import torch
    from torch.nn import functional as F

    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "pytorch"))
    import networks

    depth, crop, batch, stride, steps = (int(options[name]) for name in
                                         ("--depth", "--crop", "--batch", "--stride", "--steps"))
    torch.set_num_threads(1)
    net = networks.Network(f"resnet{depth}", 4, stride, "deeplabv3", classes=CLASSES)
    last = torch.channels_last
    images = torch.randn(batch, 3, crop, crop).contiguous(memory_format=last)
    labels = torch.randint(0, CLASSES, (batch, crop, crop))

    def cast():
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=options["--dtype"] == "bf16")

    if work == "extract":
        trunk = net.backbone.eval()
        fold_norms(trunk)
        trunk = trunk.to(memory_format=last)

        def step():
            with torch.no_grad(), cast():
                trunk(images)
    else:
        net = net.train().to(memory_format=last)
        optimizer = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9)

        def step():
            with cast():
                logits = net(images)
                if logits.shape[2:] != labels.shape[1:]:
                    logits = F.interpolate(logits, labels.shape[1:], mode="bilinear",
                                           align_corners=False)
            loss = F.cross_entropy(logits.float(), labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

    seconds = median_seconds(step, steps)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"images_per_second": batch / seconds, "peak_rss_mib": rss,
                      "torch": torch.__version__}))


def last_line(command, core):
    environment = dict(os.environ, OMP_NUM_THREADS="1")
    out = subprocess.run(["taskset", "-c", core] + command, env=environment, check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    return json.loads(out.strip().splitlines()[-1])


def compare(work, options, pairs, core, more):
    words = [word for pair in options.items() for word in pair]
    ours = [os.environ.get("AUXSEG", "build/auxseg"), "bench", work] + words + more
    theirs = [sys.executable, __file__, "--peer", work] + words
    speed, memory = [], []
    for _ in range(pairs):
        a, b = last_line(ours, core), last_line(theirs, core)
        speed.append(a["images_per_second"] / b["images_per_second"])
        memory.append(a["peak_rss_mib"] / b["peak_rss_mib"])
    print(f"{work} {' '.join(words)} {' '.join(more)}: {statistics.median(speed):.2f}x the images a "
          f"second of torch {b['torch']} (from {min(speed):.2f} to {max(speed):.2f}), "
          f"{statistics.median(memory):.2f} of its memory (median of {pairs} pairs)")


def main(words):
    if words[:1] == ["--peer"]:
        peer(words[1], dict(zip(words[2::2], words[3::2])))
        return
    more = words[words.index("--") + 1:] if "--" in words else []
    words = words[:words.index("--")] if "--" in words else words
    named = dict(OPTIONS, **{"--pairs": "5", "--core": "0"})
    if words[:1] not in (["extract"], ["train"]) or len(words) % 2 == 0:
        sys.exit(__doc__)
    for name, value in zip(words[1::2], words[2::2]):
        if name not in named:
            sys.exit(__doc__)
        named[name] = value
    compare(words[0], {name: named[name] for name in OPTIONS}, int(named["--pairs"]),
            named["--core"], more)


main(sys.argv[1:])
