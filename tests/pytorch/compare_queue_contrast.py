#!/usr/bin/env python3
"""compare_queue_contrast.py AUXSEG: the second step of `auxseg pretrain` with pretrain.method = "instance" and "dense",
beside PyTorch in float64, from the checkpoint that the first step leaves: its loss, its whole gradient, which is what
plain SGD with a learning rate of 1 takes from the weights, and the keys that it puts into the queues, each within 1e-5,
relatively. Views are the whole images, so that nothing of them is drawn.
Exit code 77: PyTorch is not installed."""
import os
import subprocess
import sys
import tempfile

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError as missing:
    print(f"not installed: {missing}")
    sys.exit(77)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from networks import ResNet, read_safetensors  # noqa: E402
from pictures import picture, write_png  # noqa: E402

IMAGES, SIDE, DIMENSIONS, TAU, WEIGHT, LIMIT, STOPPED = 3, 32, 8, 0.2, 0.3, 1e-5, 75
MEAN, DEVIATION = torch.tensor([0.485, 0.456, 0.406]).double(), torch.tensor([0.229, 0.224, 0.225]).double()
CONFIG = f"""run: {{ threads = 1; }};
dataset: {{ layout = "folder"; root = "images"; }};
model: {{ backbone = "resnet18"; stages = 2; output_stride = 8; head = "fcn"; head_channels = 8; norm = "group";
         group = 2; projection = {DIMENSIONS}; dtype = "f32"; }};
pretrain: {{ steps = 3; batch = {IMAGES}; crop = {SIDE}; key_average = 0.0; dense_weight = {WEIGHT}; lr = 1.0;
            schedule = "constant"; momentum = 0.0; weight_decay = 0.0; scale_min = 1.0; scale_max = 1.0; flip = 0.0;
            jitter = 0.0; }};
"""


def image(i):
    return picture(SIDE, SIDE + i)[:, :SIDE].copy()


def head(width):
    return nn.Sequential(nn.Conv2d(width, width, 1), nn.ReLU(), nn.Conv2d(width, DIMENSIONS, 1))


class Encoder(nn.Module):
    """Embedding of each image [N, D]; embeddings and features of its cells [N, cells, D and C]."""

    def __init__(self, dense):
        super().__init__()
        self.backbone = ResNet("resnet18", 2, 8)
        self.projection = head(self.backbone.channels[-1])
        if dense:
            self.dense_projection = head(self.backbone.channels[-1])
        self.dense = dense

    def forward(self, x):
        last = self.backbone(x)[-1]
        whole = self.projection(last.mean((2, 3), keepdim=True)).flatten(1)
        cells = self.dense_projection(last) if self.dense else last
        return whole, cells.flatten(2).transpose(1, 2), last.flatten(2).transpose(1, 2)


def info_nce(query, key, negatives):
    """query, key [..., D]."""
    query = F.normalize(query, dim=-1).flatten(0, -2)
    logits = torch.cat([(query * key.flatten(0, -2)).sum(1, keepdim=True), query @ negatives.T], 1) / TAU
    return F.cross_entropy(logits, torch.zeros(len(query), dtype=torch.long))


def step(net, x, queue, images, dense_queue):
    """Mean loss of the images' two views, and the keys of each image: a row [D] of each queue."""
    unit, keys = lambda v: F.normalize(v, dim=-1), []
    net.eval()
    with torch.no_grad():
        key, key_cells, key_features = net(x)
    net.train()
    loss = 0
    for i in range(len(x)):
        # A norm group is the two views of an image, which are the same here.
        whole, cells, features = net(x[[i, i]])
        others = images != i
        part = info_nce(whole, unit(key[[i, i]]), queue[others])
        keys.append([unit(key[i])])
        if net.dense:
            match = (unit(features) @ unit(key_features[i]).T).argmax(2)
            dense = info_nce(cells, unit(key_cells[i])[match], dense_queue[others])
            part = (1 - WEIGHT) * part + WEIGHT * dense
            keys[-1].append(unit(key_cells[i].mean(0)))
        loss = loss + part / len(x)
    return loss, keys


def step_gradient(net, x, state, queues):
    """Loss, whole gradient, keys."""
    rows = {name: state[name + ".keys"].double().reshape(-1, DIMENSIONS) for name in queues}
    loss, keys = step(net, x, rows["queue"], state["queue.images"], rows.get("dense_queue"))
    loss.backward()
    return loss.item(), torch.cat([p.grad.flatten() for p in net.parameters()]), keys


def auxseg(program, folder, command, method, code, *arguments):
    words = [program, command, "c.cfg", "--set", f"run.dir={method}", "--set", f"pretrain.method={method}", *arguments]
    result = subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != code:
        print(result.stdout)
        sys.exit(1)


def error(have, want):
    return (torch.linalg.vector_norm(have.double() - want) / torch.linalg.vector_norm(want)).item()


def compare(program, folder, method):
    auxseg(program, folder, "pack", method, 0)
    for _ in range(2):
        auxseg(program, folder, "pretrain", method, STOPPED, "--set", "run.max_hours=1e-9")
    state, after = [read_safetensors(os.path.join(folder, method, "checkpoints", f"pretrain-{n}.safetensors"))
                    for n in (1, 2)]
    with open(os.path.join(folder, method, "metrics.csv")) as file:
        have = [float(line.split(",")[3]) for line in file if line.startswith("pretrain,1,2,")]

    net = Encoder(method == "dense")
    names = [name for name, _ in net.named_parameters()]
    net.load_state_dict({k: state[k] for k in net.state_dict() if not k.endswith("tracked")}, strict=False)
    x = torch.stack([torch.from_numpy(image(i)) for i in range(IMAGES)]).double() / 255
    x = ((x - MEAN) / DEVIATION).permute(0, 3, 1, 2)
    queues = [name for name in ("queue", "dense_queue") if name + ".keys" in state]
    loss, gradient, keys = step_gradient(net.double(), x, state, queues)
    before, then = [torch.cat([tensors[name].flatten() for name in names]).double() for tensors in (state, after)]
    # Weights are float32: so much of the gradient is in them.
    taken = before - (before - gradient).float().double()
    errors = {"loss": abs(have[0] / loss - 1), "gradient": error(before - then, taken)}
    for part, name in enumerate(queues):
        of = after[name + ".images"].tolist()
        assert sorted(of) == sorted(2 * list(range(IMAGES)))
        errors["keys of " + name] = error(after[name + ".keys"].reshape(-1, DIMENSIONS),
                                          torch.stack([keys[i][part] for i in of]))
    print(f"{method}: loss {loss:.6f}; errors: " + ", ".join(f"{k} {v:.1e}" for k, v in errors.items()))
    return max(errors.values()) <= LIMIT


with tempfile.TemporaryDirectory() as folder:
    os.mkdir(os.path.join(folder, "images"))
    for i in range(IMAGES):
        write_png(os.path.join(folder, "images", f"{i}.png"), image(i))
    with open(os.path.join(folder, "c.cfg"), "w") as file:
        file.write(CONFIG)
    results = [compare(os.path.abspath(sys.argv[1]), folder, method) for method in ("instance", "dense")]
sys.exit(0 if all(results) else 1)
