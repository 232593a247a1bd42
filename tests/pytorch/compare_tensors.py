#!/usr/bin/env python3
"""compare_tensors.py AUXSEG [FILE...]: tensors of torch.save's files, read by `auxseg convert`, bit for bit as torch
reads them: files that are written here, of every type in both formats, with views, one storage for several tensors and
containers in containers; the files given; and those below $AUXSEG_SHARED/data/weights.
Exit code 77: PyTorch is not installed."""
import json
import os
import struct
import subprocess
import sys
import tempfile

try:
    import torch
except ImportError:
    print("PyTorch is not installed")
    sys.exit(77)

TYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32",
         "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool", "C64": "complex64", "U16": "uint16",
         "U32": "uint32", "U64": "uint64", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2"}
LEGACY = list(TYPES)[:11]
PLACES = ("state_dict", "model_state_dict", "model_state", "model", "classy_state_dict", "base_model", "teacher", "net",
          "network", "module")


def bits(x):
    return x.detach().contiguous().cpu().reshape(-1).view(torch.uint8).numpy().tobytes() if x.numel() else b""


def flatten(value, prefix=""):
    if torch.is_tensor(value):
        yield prefix, value
    elif isinstance(value, (dict, list, tuple)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from flatten(inner, f"{prefix}.{key}" if prefix else str(key))


def find(value):
    while isinstance(value, dict) and not any(torch.is_tensor(x) for x in value.values()):
        inner = next((value[p] for p in PLACES if isinstance(value.get(p), dict)), None)
        if inner is None:
            break
        value = inner
    return value


def compare(program, path, folder):
    out = os.path.join(folder, "out.safetensors")
    result = subprocess.run([program, "convert", path, out], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode:
        print(result.stdout)
        return False
    data = open(out, "rb").read()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    want = dict(flatten(find(torch.load(path, map_location="cpu", weights_only=True))))
    good = want.keys() == header.keys()
    for name, t in header.items():
        x, (begin, end) = want[name], t["data_offsets"]
        same = str(x.dtype) == "torch." + TYPES[t["dtype"]] and list(x.shape) == t["shape"]
        good = good and same and bits(x) == data[start + begin:start + end]
    print(f"{os.path.basename(path)}: {len(header)} tensors{'' if good else ': DIFFERENT'}", flush=True)
    return good


def write(path, legacy, root):
    torch.manual_seed(2)
    state = {}
    for name in LEGACY if legacy else TYPES:
        x, dtype = torch.randn(5, 7) * 50, getattr(torch, TYPES[name])
        state[name] = x > 0 if name == "BOOL" else (x.abs() if name[0] == "U" else x).to(dtype)
    state["half.odd"] = torch.linspace(-1e-4, 1e-4, 81).to(torch.float16)  # some of them subnormal
    base = torch.arange(60.).view(3, 4, 5)
    state.update({"view": base[1:, ::2, 1:3], "turned": base.permute(2, 0, 1), "scalar": torch.tensor(3.5),
                  "empty": torch.zeros(0, 4), "parameter": torch.nn.Parameter(torch.randn(3))})
    torch.save({root: state, "epoch": 3} if root else state, path, _use_new_zipfile_serialization=not legacy)


with tempfile.TemporaryDirectory() as folder:
    files = sys.argv[2:]
    for legacy in (False, True):
        for root in ("", "state_dict", "model", "teacher"):
            files.append(os.path.join(folder, f"{'legacy' if legacy else 'zip'}-{root or 'top'}.pth"))
            write(files[-1], legacy, root)
    shared = os.path.join(os.environ.get("AUXSEG_SHARED", ""), "data", "weights")
    if os.path.isdir(shared):
        files += [os.path.join(shared, f) for f in sorted(os.listdir(shared)) if f.endswith((".pth", ".th"))]
    results = [compare(sys.argv[1], path, folder) for path in files]
sys.exit(0 if all(results) else 1)
