#!/usr/bin/env python3
"""compare_vit.py AUXSEG: features of vision transformers, by `auxseg extract`, beside timm's in float64.

ViT-S/16, ViT-S/14 with four registers and layer scale, and ViT-B/8 with random weights, at the size that the positions
were made for and at another, which is no multiple of the patch either; the last layer's normalised patch tokens, and
keys and a block's output joined. Measured is the length of the difference of a pixel's two feature vectors, each of
length 1 (`norm` and each joined layer have length 1 together, as extract.normalize makes it): the largest of all
pixels, at most 1e-4 in fp32 and 2e-2 in bf16, where the processor has it.
Exit code 77: PyTorch or timm is not installed."""
import os
import subprocess
import sys
import tempfile

try:
    import numpy
    import timm
    import torch
except ImportError as missing:
    print(f"not installed: {missing}")
    sys.exit(77)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pictures import picture, write_png  # noqa: E402

LIMITS = {"f32": 1e-4, "bf16": 2e-2}
MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
LAYERS = ["norm", "block8,block11.keys"]
CONFIG = """run: {{ dir = "{dir}"; resume = "never"; threads = 2; }};
dataset: {{ layout = "folder"; root = "{root}"; }};
model: {{ backbone = "resnet18"; dtype = "{dtype}"; }};
extract: {{ backbone = "vit"; weights = "{weights}"; layers = "{layers}"; positions = "timm"; npy = "{npy}"; }};
"""


def network(name):
    """Random weights by which attention is neither even nor a choice of one, and blocks change what they get."""
    torch.manual_seed(1)
    net = timm.create_model(name, pretrained=False, num_classes=0, dynamic_img_size=True, dynamic_img_pad=True).eval()
    with torch.no_grad():
        for key, p in net.named_parameters():
            if key.endswith("gamma"):
                p.uniform_(0.2, 1.0)
            elif ".norm" in key or key.startswith("norm"):
                p.normal_(1.0 if key.endswith("weight") else 0.0, 0.1)
            elif p.dim() > 1 and not key.endswith(("token", "pos_embed")):
                p.normal_(0.0, p[0].numel() ** -0.5)
            else:
                p.normal_(0.0, 0.3)
    return net


def expected(net, rgb, layers):
    x = torch.from_numpy(rgb).double() / 255
    x = ((x - torch.tensor(MEAN)) / torch.tensor(DEVIATION)).permute(2, 0, 1)[None].double()
    found, prefix = {}, net.num_prefix_tokens
    hooks = [net.norm.register_forward_hook(lambda m, i, o: found.update(norm=o))]
    for n, block in enumerate(net.blocks):
        width = block.attn.qkv.in_features
        hooks.append(block.register_forward_hook(lambda m, i, o, n=n: found.update({f"block{n}": o})))
        hooks.append(block.attn.qkv.register_forward_hook(
            lambda m, i, o, n=n, w=width: found.update({f"block{n}.keys": o[..., w:2 * w]})))
    with torch.no_grad():
        net.double().forward_features(x)
    for hook in hooks:
        hook.remove()
    rows = torch.cat([found[name][0, prefix:] for name in layers.split(",")], 1)
    return (rows / rows.norm(dim=1, keepdim=True)).numpy()


def ours(program, folder, dtype, layers):
    paths = {name: os.path.join(folder, name) for name in ("run", "images", "weights.pth", "x.npy", "vit.cfg")}
    with open(paths["vit.cfg"], "w") as file:
        file.write(CONFIG.format(dir=paths["run"], root=paths["images"], weights=paths["weights.pth"],
                                 npy=paths["x.npy"], dtype=dtype, layers=layers))
    for command in ("pack", "extract"):
        result = subprocess.run([program, command, paths["vit.cfg"]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True)
        if result.returncode != 0:
            print(result.stdout)
            sys.exit(1)
    return numpy.load(paths["x.npy"])


def compare(program, name, sizes, dtypes):
    good, net = True, network(name)
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "images"))
        torch.save(net.state_dict(), os.path.join(folder, "weights.pth"))
        for size in sizes:
            rgb = picture(*size)
            write_png(os.path.join(folder, "images", "one.png"), rgb)
            for layers in LAYERS:
                want = expected(net, rgb, layers)
                spread = numpy.linalg.norm(want - want.mean(0), axis=1).mean()
                assert spread > 0.1, f"features hardly depend on the pixel ({spread}): they would hide an error"
                for dtype in dtypes:
                    have = ours(program, folder, dtype, layers)
                    error = numpy.linalg.norm(have - want, axis=1).max() if have.shape == want.shape else numpy.inf
                    print(f"{name} {size[0]} x {size[1]} {layers} {dtype}: at most {error:.1e}", flush=True)
                    good = good and error <= LIMITS[dtype]
    return good


has_bf16 = "avx512_bf16" in open("/proc/cpuinfo").read() if os.path.exists("/proc/cpuinfo") else False
cases = [("vit_small_patch16_224", [(224, 224), (200, 331)]), ("vit_small_patch14_reg4_dinov2", [(518, 518), (224, 331)]),
         ("vit_base_patch8_224", [(224, 224), (120, 171)])]
results = [compare(sys.argv[1], name, sizes, ["f32"] + ["bf16"] * has_bf16) for name, sizes in cases]
sys.exit(0 if all(results) else 1)
