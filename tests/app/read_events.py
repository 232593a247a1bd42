#!/usr/bin/env python3
"""read_events.py FOLDER: the figures that TensorBoard would show of a folder of event files, as lines
"tag step value", written from the formats' descriptions: every checksum is compared, and what a later
session begins anew is left out. A record that a kill has torn ends its file."""
import pathlib
import struct
import sys


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    at = 0
    while at + 16 <= len(data):
        length, head_crc = struct.unpack_from("<QI", data, at)
        if at + 16 + length > len(data):
            return
        event = data[at + 12 : at + 12 + length]
        (crc,) = struct.unpack_from("<I", data, at + 12 + length)
        assert head_crc == masked(data[at : at + 8]), f"length at {at}"
        assert crc == masked(event), f"event at {at}"
        yield event
        at += 16 + length


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def fields(data):
    """Pairs of a field's number and its value."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        coding = key & 7
        if coding == 0:
            value, at = varint(data, at)
        elif coding == 2:
            length, at = varint(data, at)
            value, at = data[at : at + length], at + length
        else:
            size = {1: 8, 5: 4}[coding]
            (value,) = struct.unpack_from({8: "<d", 4: "<f"}[size], data, at)
            at += size
        yield key >> 3, value


curves = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("events.out.tfevents.*")):
    for number, event in enumerate(records(path.read_bytes())):
        event = dict(fields(event))
        assert event[1] > 1e9, "a time"
        if number == 0:
            assert event[3] == b"brain.Event:2", event
        for start in [event[7]] if 7 in event else []:
            assert dict(fields(start)) == {1: 1}, start
            for curve in curves.values():
                for step in [s for s in curve if s >= event[2]]:
                    del curve[step]
        for _, one in fields(event.get(5, b"")):
            one = dict(fields(one))
            curve = curves.setdefault(one[1].decode(), {})
            assert event[2] not in curve, f"{one[1]}: step {event[2]} twice"
            curve[event[2]] = one[2]
for tag, curve in sorted(curves.items()):
    for step, value in sorted(curve.items()):
        print(tag, step, f"{value:.6g}")
