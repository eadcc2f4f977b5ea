"""Writes the tensors of a state dictionary that PyTorch before 1.6 saved (torch/serialization.py, `_legacy_save`) as a safetensors file.

    python3 torch-state.py STATE.pth OUT.safetensors

Python's own unpickler reads it, without PyTorch: only the names below stand for anything. Whole numbers (how many batches a norm has
seen) are left out. The caller has compared the file's SHA-256.
"""
import array
import collections
import json
import pickle
import struct
import sys

ELEMENTS = {'FloatStorage': 'f', 'LongStorage': 'q'}
NAMES = {
    ('collections', 'OrderedDict'): collections.OrderedDict,
    # Storage, offset, shape and strides, in elements.
    ('torch._utils', '_rebuild_tensor_v2'): lambda *view: view[:4],
    **{('torch', name): name for name in ELEMENTS},
}


class StateUnpickler(pickle.Unpickler):
    def find_class(self, module, name):
        return NAMES[module, name]

    def persistent_load(self, place):
        _, kind, key, *_ = place
        return kind, key


def gather(values, offset, axes):
    """The elements of a view in row-major order. `axes` are its sides, but for those of one element, with their strides."""
    if not axes:
        return values[offset : offset + 1]
    (side, stride), *inner = axes
    if not inner:
        return values[offset : offset + side * stride : stride]
    elements = array.array('f')
    for i in range(side):
        elements += gather(values, offset + i * stride, inner)
    return elements


with open(sys.argv[1], 'rb') as file:
    _magic, _version, _system, state, keys = (StateUnpickler(file).load() for _ in range(5))
    kinds = {key: kind for (kind, key), *_ in state.values()}
    storages = {}
    for key in keys:
        (length,) = struct.unpack('<q', file.read(8))
        storages[key] = array.array(ELEMENTS[kinds[key]])
        storages[key].fromfile(file, length)

header, data = {}, b''
for name, ((kind, key), offset, shape, strides) in state.items():
    if kind == 'FloatStorage':
        axes = [(side, stride) for side, stride in zip(shape, strides) if side > 1]
        tensor = gather(storages[key], offset, axes).tobytes()
        header[name] = {'dtype': 'F32', 'shape': shape, 'data_offsets': [len(data), len(data) + len(tensor)]}
        data += tensor
text = json.dumps(header).encode()
with open(sys.argv[2], 'wb') as file:
    file.write(struct.pack('<Q', len(text)) + text + data)
