"""The program's networks in plain PyTorch, with its parameter names: weights that it wrote load here with strict=True.

ResNet, FCNHead, DeepLabHead carry torchvision's names; DeepLabPlusHead and Projection are the program's own.
"""
import json
import struct

import torch
from torch import nn
from torch.nn import functional as F

BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3), "resnet50": (3, 4, 6, 3),
          "resnet101": (3, 4, 23, 3), "resnet152": (3, 8, 36, 3)}


def conv3x3(inputs, outputs, stride=1, dilation=1):
    return nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, bias=False)


def conv_norm_relu(inputs, outputs, kernel=1, dilation=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, 1, dilation * (kernel // 2), dilation, bias=False),
                         nn.BatchNorm2d(outputs), nn.ReLU())


class Block(nn.Module):
    """Basic block or bottleneck (stride in its 3x3 convolution, or the first)."""

    def __init__(self, inputs, width, bottleneck, stride, dilation, stride_first=False):
        super().__init__()
        outputs = width * 4 if bottleneck else width
        if bottleneck:
            before, within = (stride, 1) if stride_first else (1, stride)
            convs = [nn.Conv2d(inputs, width, 1, before, bias=False), conv3x3(width, width, within, dilation),
                     nn.Conv2d(width, outputs, 1, bias=False)]
        else:
            convs = [conv3x3(inputs, width, stride, dilation), conv3x3(width, width, 1, dilation)]
        for i, conv in enumerate(convs, 1):
            setattr(self, f"conv{i}", conv)
            setattr(self, f"bn{i}", nn.BatchNorm2d(conv.out_channels))
        self.convs = len(convs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = x
        for i in range(1, self.convs + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            if i < self.convs:
                y = F.relu(y)
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """Cut after `stages`; returns the stages' outputs. The first block of a dilated stage keeps the dilation before."""

    def __init__(self, name, stages=4, output_stride=8, stem="plain", stride_in="3x3"):
        super().__init__()
        bottleneck = name not in ("resnet18", "resnet34")
        if stem == "deep":
            self.stem = nn.Sequential(
                nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
                nn.Conv2d(32, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
                nn.Conv2d(32, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU())
        else:
            self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
            self.bn1 = nn.BatchNorm2d(64)
        self.deep = stem == "deep"
        self.stages, self.channels = stages, []
        inputs, reached, dilation = 64, 4, 1
        for s in range(stages):
            wanted, before, blocks = (1 if s == 0 else 2), dilation, []
            stride = wanted if reached * wanted <= output_stride else 1
            reached, dilation = reached * stride, dilation * wanted // stride
            for i in range(BLOCKS[name][s]):
                first = i == 0
                blocks.append(Block(inputs, 64 << s, bottleneck, stride if first else 1, before if first else dilation,
                                    stride_in == "1x1"))
                inputs = (64 << s) * (4 if bottleneck else 1)
            setattr(self, f"layer{s + 1}", nn.Sequential(*blocks))
            self.channels.append(inputs)
        self.stride = reached

    def forward(self, x):
        x = self.stem(x) if self.deep else F.relu(self.bn1(self.conv1(x)))
        x, outputs = F.max_pool2d(x, 3, 2, 1), []
        for s in range(1, self.stages + 1):
            x = getattr(self, f"layer{s}")(x)
            outputs.append(x)
        return outputs


class Fire(nn.Module):
    def __init__(self, inputs, squeeze, expand, dilation):
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, 1, dilation, dilation)

    def forward(self, x):
        x = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], 1)


FIRES = {"squeezenet1_0": [(16, 64), (16, 64), (32, 128), "pool", (32, 128), (48, 192), (48, 192), (64, 256), "pool",
                           (64, 256)],
         "squeezenet1_1": [(16, 64), (16, 64), "pool", (32, 128), (32, 128), "pool", (48, 192), (48, 192), (64, 256),
                           (64, 256)]}


class SqueezeNet(nn.Module):
    """torchvision's, with padded stem and pools, so that maps are of the image's size over the stride; returns the
    outputs before each pool but the first, and the last."""

    def __init__(self, name, stages=3, output_stride=8):
        super().__init__()
        kernel, channels = (7, 96) if name == "squeezenet1_0" else (3, 64)
        layers = [nn.Conv2d(3, channels, kernel, 2, kernel // 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
        self.ends, self.channels, reached, dilation = [], [], 4, 1
        for fire in FIRES[name] + ["end"]:
            if isinstance(fire, tuple):
                layers.append(Fire(channels, *fire, dilation))
                channels = 2 * fire[1]
                continue
            self.ends.append(len(layers))
            self.channels.append(channels)
            if len(self.ends) == stages:
                break
            stride = 2 if 2 * reached <= output_stride else 1
            layers.append(nn.MaxPool2d(3, stride, 1))
            reached, dilation = reached * stride, dilation * 2 // stride
        self.features = nn.Sequential(*layers)
        self.stride = reached

    def forward(self, x):
        outputs = []
        for i, layer in enumerate(self.features, 1):
            x = layer(x)
            if i in self.ends:
                outputs.append(x)
        return outputs


class Pooling(nn.Sequential):
    def forward(self, x):
        return F.interpolate(super().forward(x), size=x.shape[-2:], mode="bilinear", align_corners=False)


class ASPP(nn.Module):
    def __init__(self, inputs, channels, stride):
        super().__init__()
        rates = [i * 96 // stride for i in (1, 2, 3)]
        self.convs = nn.ModuleList(
            [conv_norm_relu(inputs, channels)] + [conv_norm_relu(inputs, channels, 3, rate) for rate in rates]
            + [Pooling(nn.AdaptiveAvgPool2d(1), *conv_norm_relu(inputs, channels))])
        self.project = nn.Sequential(*conv_norm_relu(5 * channels, channels), nn.Dropout(0.5))

    def forward(self, x):
        return self.project(torch.cat([branch(x) for branch in self.convs], 1))


def fcn(inputs, low, channels, stride, classes):
    channels = channels or inputs // 4
    return nn.Sequential(*conv_norm_relu(inputs, channels, 3), nn.Dropout(0.1), nn.Conv2d(channels, classes, 1))


def deeplabv3(inputs, low, channels, stride, classes):
    channels = channels or 256
    return nn.Sequential(ASPP(inputs, channels, stride), *conv_norm_relu(channels, channels, 3),
                         nn.Conv2d(channels, classes, 1))


class DeepLabPlusHead(nn.Module):
    def __init__(self, inputs, low, channels, stride, classes):
        super().__init__()
        channels = channels or 256
        self.project = conv_norm_relu(low, 48)
        self.aspp = ASPP(inputs, channels, stride)
        self.classifier = nn.Sequential(*conv_norm_relu(48 + channels, channels, 3), nn.Conv2d(channels, classes, 1))

    def forward(self, low, x):
        low = self.project(low)
        x = F.interpolate(self.aspp(x), size=low.shape[-2:], mode="bilinear", align_corners=False)
        return self.classifier(torch.cat([low, x], 1))


HEADS = {"fcn": fcn, "deeplabv3": deeplabv3, "deeplabv3plus": DeepLabPlusHead}


class Network(nn.Module):
    """Logits at the head's stride; with `projection` > 0 the embeddings of contrastive pretraining instead."""

    def __init__(self, backbone="resnet18", stages=4, output_stride=8, head="deeplabv3", head_channels=0, classes=21,
                 projection=0, **kind):
        super().__init__()
        squeeze = backbone.startswith("squeezenet")
        self.backbone = (SqueezeNet if squeeze else ResNet)(backbone, stages, output_stride, **kind)
        inputs, low = self.backbone.channels[-1], self.backbone.channels[0]
        self.classifier = HEADS[head](inputs, low, head_channels, self.backbone.stride, classes)
        self.both = head == "deeplabv3plus"
        if projection:
            last = self.classifier.classifier if self.both else self.classifier
            width = last[-1].in_channels
            last[-1] = nn.Identity()
            self.projection = nn.Sequential(nn.Conv2d(width, width, 1), nn.ReLU(), nn.Conv2d(width, projection, 1))
        self.project = projection > 0

    def forward(self, x):
        stages = self.backbone(x)
        x = self.classifier(stages[0], stages[-1]) if self.both else self.classifier(stages[-1])
        return self.projection(x) if self.project else x


def read_safetensors(path):
    """Tensors by name."""
    types = {"F32": torch.float32, "F64": torch.float64, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
             "I32": torch.int32}
    data = bytearray(open(path, "rb").read())
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    out = {}
    for name, t in header.items():
        begin, end = t["data_offsets"]
        out[name] = torch.frombuffer(bytearray(data[start + begin:start + end]), dtype=types[t["dtype"]]).reshape(t["shape"])
    return out
