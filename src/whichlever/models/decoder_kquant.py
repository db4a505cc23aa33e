"""llama.cpp's k-quants, written in numpy: 4 and 6 bits a weight in blocks of 256.

The formats are those of ggml (``block_q4_K``, ``block_q6_K``); how scales are chosen is weighted
least squares over a few candidate steps, the larger weights counting more, as ggml's own quantiser
does it. A row that is no multiple of 256 long takes the format that llama.cpp falls back to.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

BLOCK = 256
CHUNK = 1 << 14
"""Blocks at once: what is tried for each takes some twenty times its memory."""

STEPS = np.arange(-10, 11, dtype=np.float32) / 10
"""How far, in levels, the candidates' finest step lies from the one that just fits."""


def kind_of(name: str, width: int, layer: int | None, layers: int) -> str:
    """The format of one matrix in a Q4_K_M file, as llama.cpp mixes them.

    Values, the first and last eighth of the feed-forward outputs and every third between, and the
    table of tokens get six bits; what is no multiple of 256 wide falls back to 5 or 8 bits.

    Parameters
    ----------
    name
        GGUF's name of the matrix.
    layer
        Its layer, counted from 0; None outside of layers.
    """
    edge = layers // 8
    more = layer is not None and (
        layer < edge or layer >= 7 * layers // 8 or (layer - edge) % 3 == 2
    )
    six = name in ("token_embd.weight", "output.weight") or (
        more and name.split(".")[-2] in ("attn_v", "ffn_down")
    )
    if width % BLOCK:
        return "Q8_0" if six else "Q5_0"
    return "Q6_K" if six else "Q4_K"


def quantised(found: Floats, kind: str) -> Bytes:
    """A matrix in one of GGML's formats as bytes, shape (rows, bytes of a row).

    Parameters
    ----------
    found
        Shape (rows, width); width a multiple of the format's block.
    kind
        ``Q4_K``, ``Q6_K``, or a format that the ``gguf`` package writes.
    """
    import gguf

    pack = {"Q4_K": _q4, "Q6_K": _q6}.get(kind)
    if pack is None:
        made: Any = gguf.quants.quantize(found, gguf.GGMLQuantizationType[kind])
        return np.asarray(made, np.uint8)
    blocks = np.ascontiguousarray(found, np.float32).reshape(-1, BLOCK)
    parts = [pack(blocks[i : i + CHUNK]) for i in range(0, len(blocks), CHUNK)]
    return np.concatenate(parts).reshape(len(found), -1)


def _q4(blocks: Floats) -> Bytes:
    """Blocks of 8 × 32 levels 0…15 with a scale and an offset each, both in 6 bits."""
    x = blocks.reshape(-1, 8, 32)
    scale, offset = _fitted(x)
    d = scale.max(axis=1) / 63
    dmin = offset.max(axis=1) / 63
    d16, dmin16 = d.astype(np.float16), dmin.astype(np.float16)
    ls = _levels(scale, d16, 63)
    lm = _levels(offset, dmin16, 63)
    step = d16.astype(np.float32)[:, None] * ls
    low = dmin16.astype(np.float32)[:, None] * lm
    whole = np.divide(x + low[..., None], step[..., None], where=step[..., None] > 0,
                      out=np.zeros_like(x))  # fmt: skip
    q = np.clip(np.rint(whole), 0, 15).astype(np.uint8)
    pairs = q.reshape(-1, 4, 2, 32)
    nibbles = (pairs[:, :, 0] | pairs[:, :, 1] << 4).reshape(-1, 128)
    a, b = ls.astype(np.uint8), lm.astype(np.uint8)
    scales = np.concatenate(
        [
            a[:, :4] | (a[:, 4:] >> 4) << 6,
            b[:, :4] | (b[:, 4:] >> 4) << 6,
            (a[:, 4:] & 15) | (b[:, 4:] & 15) << 4,
        ],
        axis=1,
    )
    heads = np.stack([d16, dmin16], axis=1).view(np.uint8)
    return np.concatenate([heads, scales, nibbles], axis=1)


def _fitted(x: Floats) -> tuple[Floats, Floats]:
    """Scale and offset (≥ 0) of each block such that scale · level − offset is near it.

    The best of `STEPS` by weighted squares, levels being rounded and scale and offset then solved
    for; shapes (blocks, 8).
    """
    weight = np.sqrt((x * x).mean(axis=-1, keepdims=True)) + np.abs(x)
    low = np.minimum(x.min(axis=-1), 0)
    span = np.maximum(x.max(axis=-1) - low, 0)
    total = weight.sum(axis=-1)
    sum_x = (weight * x).sum(axis=-1)
    best = np.full(span.shape, np.inf, np.float32)
    scale, offset = span / 15, -low
    for more in STEPS:
        inverse = np.divide(15 + more, span, where=span > 0, out=np.zeros_like(span))
        q = np.clip(np.rint((x - low[..., None]) * inverse[..., None]), 0, 15)
        sum_q = (weight * q).sum(axis=-1)
        sum_qq = (weight * q * q).sum(axis=-1)
        sum_xq = (weight * x * q).sum(axis=-1)
        det = total * sum_qq - sum_q * sum_q
        a = np.divide(total * sum_xq - sum_x * sum_q, det, where=det > 0, out=np.zeros_like(det))
        b = np.divide(sum_qq * sum_x - sum_q * sum_xq, det, where=det > 0, out=np.zeros_like(det))
        above = b > 0  # an offset cannot be negative: through zero then
        through = np.divide(sum_xq, sum_qq, where=sum_qq > 0, out=np.zeros_like(det))
        a, b = np.where(above, through, a), np.where(above, 0, b)
        error = (weight * (a[..., None] * q + b[..., None] - x) ** 2).sum(axis=-1)
        better = (error < best) & (a > 0)
        best = np.where(better, error, best)
        scale, offset = np.where(better, a, scale), np.where(better, -b, offset)
    return scale.astype(np.float32), offset.astype(np.float32)


def _q6(blocks: Floats) -> Bytes:
    """Blocks of 16 × 16 levels −32…31 with a signed scale each, in 8 bits."""
    x = blocks.reshape(-1, 16, 16)
    scale = _symmetric(x)
    far = np.take_along_axis(scale, np.abs(scale).argmax(axis=1)[:, None], axis=1)[:, 0]
    d16 = (far / -128).astype(np.float16)
    d = d16.astype(np.float32)[:, None]
    levels = np.divide(scale, d, where=d != 0, out=np.zeros_like(scale))
    ls = np.clip(np.rint(levels), -128, 127).astype(np.int8)
    step = (d * ls)[..., None]
    whole = np.divide(x, step, where=step != 0, out=np.zeros_like(x))
    q = (np.clip(np.rint(whole), -32, 31) + 32).astype(np.uint8).reshape(-1, 2, 4, 32)
    low, high = q & 15, q >> 4
    nibbles = (low[:, :, :2] | low[:, :, 2:] << 4).reshape(-1, 128)
    twos = high[:, :, 0] | high[:, :, 1] << 2 | high[:, :, 2] << 4 | high[:, :, 3] << 6
    return np.concatenate(
        [nibbles, twos.reshape(-1, 64), ls.view(np.uint8), d16[:, None].view(np.uint8)], axis=1
    )


def _symmetric(x: Floats) -> Floats:
    """The scale of each block such that scale · level is near it, levels −32…31; (blocks, 16)."""
    weight = x * x
    at = np.abs(x).argmax(axis=-1)[..., None]
    far = np.take_along_axis(x, at, axis=-1)[..., 0]
    best = np.full(far.shape, -np.inf, np.float32)
    scale = far / -32
    for more in STEPS:
        inverse = np.divide(-(32 + more), far, where=far != 0, out=np.zeros_like(far))
        q = np.clip(np.rint(x * inverse[..., None]), -32, 31)
        sum_xq, sum_qq = (weight * x * q).sum(axis=-1), (weight * q * q).sum(axis=-1)
        gain = np.divide(sum_xq * sum_xq, sum_qq, where=sum_qq > 0, out=np.zeros_like(far))
        better = gain > best
        best = np.where(better, gain, best)
        own = np.divide(sum_xq, sum_qq, where=sum_qq > 0, out=np.zeros_like(far))
        scale = np.where(better, own, scale)
    return np.asarray(scale, np.float32)


def _levels(values: Floats, step: npt.NDArray[np.float16], most: int) -> Floats:
    own = step.astype(np.float32)[:, None]
    found = np.divide(values, own, where=own > 0, out=np.zeros_like(values))
    return np.asarray(np.clip(np.rint(found), 0, most), np.float32)
