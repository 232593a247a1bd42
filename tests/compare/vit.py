#!/usr/bin/env python3
"""Speed and memory of vision transformers, `auxseg bench extract --vit`, beside PyTorch, on one core, in pairs.

vit.py [--vit s16|s14reg|b8] [--crop C] [--batch B] [--dtype f32|bf16] [--steps S] [--pairs P] [--core C]
       [--modes eager,compile,freeze]

The peer is the same network by PyTorch's own parts: scaled_dot_product_attention, inference_mode, weights and images
in the type itself, and each of the modes in a process of its own: eager; torch.compile; torch.compile with weights
frozen and packed (torch._inductor's freezing). Each pair runs auxseg and then every mode, pinned to one core; printed
are the medians of the pairs' ratios, mode by mode. Needs torch; AUXSEG names the program (build/auxseg).
"""
import json
import os
import resource
import statistics
import subprocess
import sys
import time

OPTIONS = {"--vit": "s16", "--crop": "512", "--batch": "1", "--dtype": "f32", "--steps": "5"}
# Width, patch, positions of a side, registers, layer scale.
SIZES = {"s16": (384, 16, 14, 0, False), "s14reg": (384, 14, 37, 4, True), "b8": (768, 8, 28, 0, False)}
BLOCKS = 12


def median_seconds(work, steps):
    for _ in range(2):
        work()
    times = []
    for _ in range(steps):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def network(torch, width, patch, grid, registers, scaled):
    from torch import nn
    from torch.nn import functional as F

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width, 1e-6), nn.LayerNorm(width, 1e-6)
            self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
            self.ls1 = nn.Parameter(torch.ones(width)) if scaled else None
            self.ls2 = nn.Parameter(torch.ones(width)) if scaled else None

        def forward(self, x):
            b, t, _ = x.shape
            q, k, v = self.qkv(self.norm1(x)).reshape(b, t, 3, width // 64, 64).permute(2, 0, 3, 1, 4).unbind(0)
            y = self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, t, width))
            x = x + (y if self.ls1 is None else y * self.ls1)
            y = self.fc2(F.gelu(self.fc1(self.norm2(x))))
            return x + (y if self.ls2 is None else y * self.ls2)

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Conv2d(3, width, patch, patch)
            self.first = nn.Parameter(torch.randn(1, 1 + registers, width))
            self.positions = nn.Parameter(torch.randn(1, width, grid, grid))
            self.blocks, self.norm = nn.ModuleList(Block() for _ in range(BLOCKS)), nn.LayerNorm(width, 1e-6)

        def forward(self, x):
            x = self.embed(x)
            # As authors do, in each forward pass, in fp32.
            p = F.interpolate(self.positions.float(), x.shape[2:], mode="bicubic", antialias=True).to(x.dtype)
            x = (x + p).flatten(2).transpose(1, 2)
            x = torch.cat([self.first.expand(x.shape[0], -1, -1), x], 1)
            for block in self.blocks:
                x = block(x)
            return self.norm(x)[:, 1 + registers:]

    return Transformer().eval()


def peer(mode, options):
    """One measurement of PyTorch's, as a line of JSON."""
    import torch

    crop, batch, steps = (int(options[name]) for name in ("--crop", "--batch", "--steps"))
    torch.set_num_threads(1)
    kind = torch.bfloat16 if options["--dtype"] == "bf16" else torch.float32
    net = network(torch, *SIZES[options["--vit"]]).to(kind).to(memory_format=torch.channels_last)
    images = torch.randn(batch, 3, crop, crop).to(kind).contiguous(memory_format=torch.channels_last)
    if mode != "eager":
        import torch._inductor.config as config

        config.freezing = mode == "freeze"
        net = torch.compile(net)
    with torch.inference_mode() if mode != "freeze" else torch.no_grad():
        seconds = median_seconds(lambda: net(images), steps)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"images_per_second": batch / seconds, "peak_rss_mib": rss, "torch": torch.__version__}))


def last_line(command, core):
    environment = dict(os.environ, OMP_NUM_THREADS="1")
    out = subprocess.run(["taskset", "-c", core] + command, env=environment, check=True, stdout=subprocess.PIPE,
                         text=True).stdout
    return json.loads(out.strip().splitlines()[-1])


def main(words):
    if words[:1] == ["--peer"]:
        peer(words[1], dict(zip(words[2::2], words[3::2])))
        return
    named = dict(OPTIONS, **{"--pairs": "5", "--core": "0", "--modes": "eager,compile,freeze"})
    if len(words) % 2:
        sys.exit(__doc__)
    for name, value in zip(words[::2], words[1::2]):
        if name not in named:
            sys.exit(__doc__)
        named[name] = value
    words = [word for name in OPTIONS for word in (name, named[name])]
    ours = [os.environ.get("AUXSEG", "build/auxseg"), "bench", "extract"] + words
    modes, core = named["--modes"].split(","), named["--core"]
    speed, memory, own = {mode: [] for mode in modes}, {mode: [] for mode in modes}, []
    for _ in range(int(named["--pairs"])):
        a = last_line(ours, core)
        own.append(a["images_per_second"])
        for mode in modes:
            b = last_line([sys.executable, __file__, "--peer", mode] + words, core)
            speed[mode].append(a["images_per_second"] / b["images_per_second"])
            memory[mode].append(a["peak_rss_mib"] / b["peak_rss_mib"])
    print(f"{' '.join(words)}: {statistics.median(own):.2f} images a second")
    for mode in modes:
        s, m = speed[mode], memory[mode]
        print(f"  {statistics.median(s):.2f}x those of torch {b['torch']} {mode} (from {min(s):.2f} to {max(s):.2f}), "
              f"{statistics.median(m):.2f} of its memory (median of {len(s)} pairs)")


main(sys.argv[1:])
