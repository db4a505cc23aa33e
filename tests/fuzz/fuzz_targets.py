"""What is fuzzed: every parser that reads a bundle, a key or a request.

A target has seeds, and a function that takes any bytes: it returns, or raises what `refusals`
says. Anything else, a process that dies, or one input that takes seconds is a finding. `tests/fuzz`
gives each some hundreds of mutated seeds; ``bench/fuzz.py`` goes on for as long as it is told, by
coverage where atheris is installed.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from real_bundles import manifest as bundle_manifest
from real_bundles import static_model
from tiny_bundle import TEXTS, tiny_bundle, tiny_files
from whichlever.bundle.archive import read_archive, write_archive
from whichlever.bundle.format import MANIFEST, Manifest, Part
from whichlever.bundle.opened import Opened, open_bundle
from whichlever.errors import BundleError, InputError, WhichleverError
from whichlever.predict import Row
from whichlever.runtime.bundle import Bundle


@dataclass(frozen=True)
class Target:
    """One parser.

    ``native`` ones run code that is not Python's: they are given to a process of their own, which
    may die of it.
    """

    name: str
    seeds: Callable[[], list[bytes]]
    run: Callable[[bytes], object]
    refusals: tuple[type[BaseException], ...]
    native: bool = False


@lru_cache
def _scratch() -> Path:
    folder = tempfile.mkdtemp(prefix="fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
    return Path(folder)


def _file(data: bytes, name: str = "input") -> Path:
    path = _scratch() / name
    path.write_bytes(data)
    return path


def _tiny() -> list[bytes]:
    return [tiny_bundle(_scratch() / "seed.wl").read_bytes()]


def archive(data: bytes) -> None:
    """What is read as an archive is the very archive that its files make."""
    files = read_archive(_file(data))
    write_archive(_scratch() / "again", files)
    assert (_scratch() / "again").read_bytes() == data


def manifest(data: bytes) -> None:
    """A manifest that is read can be written and read again."""
    said = Manifest.from_bytes(data)
    assert Manifest.from_bytes(said.to_bytes()) == said


def whole(data: bytes) -> None:
    """An unsigned bundle that opens answers, with probabilities."""
    bundle = Bundle(open_bundle(_file(data), allow_unsigned=True))
    _answers(bundle)


def _answers(bundle: Bundle) -> None:
    rows = [Row(str(i), text) for i, text in enumerate(TEXTS[:2])]
    with np.errstate(all="ignore"):  # damaged weights may overflow
        answers = bundle.predictor.predict(rows)
    assert len(answers) == 2
    labels = {*bundle.manifest.labels, None}
    assert all(a.label in labels for a in answers)


def _member(make: Callable[[], dict[str, bytes]], name: str) -> Callable[[bytes], None]:
    """One file of an otherwise good bundle: nothing but it can be wrong."""
    files = lru_cache(make)

    def run(data: bytes) -> None:
        changed = {**files(), name: data}
        said = Manifest.from_bytes(changed[MANIFEST])
        _answers(Bundle(Opened(said, changed, None, "fuzzed")))

    return run


def _tokenizer() -> str:
    """A BERT tokenizer of the few words that the tests' texts have."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import TemplateProcessing

    words = sorted({word for text in TEXTS for word in text.split()})
    vocabulary = {w: i for i, w in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "##s", *words])}
    made = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = BertNormalizer(), BertPreTokenizer()
    made.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return str(made.to_str())


def _static() -> dict[str, bytes]:
    model = static_model(_tokenizer())
    said = bundle_manifest([Part(name="static", kind="static")])
    return {MANIFEST: said.to_bytes(), "model/static/static.safetensors": model.to_bytes()}


def _encoder() -> dict[str, bytes]:
    """An encoder of three operations: enough for a parser."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)

    def values(name: str, *shape: int) -> object:
        return numpy_helper.from_array(rng.normal(size=shape).astype(np.float32), name)

    nodes = [
        helper.make_node("Gather", ["embedding", "input_ids"], ["each"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["each", "column"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "middle"], ["summed"], keepdims=0),
        helper.make_node("MatMul", ["summed", "head"], ["logits"]),
    ]
    ids = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["rows", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    out = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", 2])
    constants = [
        values("embedding", 64, 4), values("head", 4, 2),
        numpy_helper.from_array(np.array([2]), "last"),
        numpy_helper.from_array(np.array([1]), "middle"),
    ]  # fmt: skip
    graph = helper.make_graph(nodes, "encoder", ids, [out], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    said = bundle_manifest([Part(name="encoder", kind="encoder", max_tokens=24)])
    return {
        MANIFEST: said.to_bytes(),
        "model/encoder/encoder.onnx": model.SerializeToString(),
        "model/encoder/tokenizer.json": _tokenizer().encode(),
    }


def _seed(make: Callable[[], dict[str, bytes]], name: str) -> Callable[[], list[bytes]]:
    return lambda: [make()[name]]


@lru_cache
def _signed() -> tuple[Path, bytes]:
    """A public key, and a signature file that holds under it."""
    from whichlever.bundle.sign import new_key, sign_bundle

    folder = Path(tempfile.mkdtemp(dir=_scratch()))
    private, public = new_key(folder / "team")
    path = tiny_bundle(folder / "m.wl")
    sign_bundle(path, private)
    return public, read_archive(path)["model.sig"]


def signature(data: bytes) -> None:
    """Only the signature itself is believed."""
    from whichlever.bundle.keyring import KeyRing
    from whichlever.bundle.signature import check_signature

    public, right = _signed()
    check_signature(data, KeyRing.load(public), "fuzzed")
    assert data == right or _same_json(data, right)


def _same_json(a: bytes, b: bytes) -> bool:
    import json

    return bool(json.loads(a) == json.loads(b))


def key_ring(data: bytes) -> None:
    """A ring that is read is written and read again."""
    from whichlever.bundle.keyring import KeyRing

    ring = KeyRing.load(_file(data, "ring.yaml"))
    ring.save(_scratch() / "again.yaml")
    assert KeyRing.load(_scratch() / "again.yaml") == ring


def _rings() -> list[bytes]:
    from whichlever.bundle.keyring import KeyRing

    public, _ = _signed()
    KeyRing.load(public).with_status("team", "revoked", "lost").save(_scratch() / "ring.yaml")
    return [public.read_bytes(), (_scratch() / "ring.yaml").read_bytes()]


def api_keys(data: bytes) -> None:
    """A file of keys that is read lets nobody in who has none."""
    from whichlever.serve.keys import ApiKeys

    assert ApiKeys.load(_file(data, "keys.json")).whose("wl_guess") is None


def _api_keys() -> list[bytes]:
    from whichlever.serve.keys import ApiKeys

    ApiKeys().added("a", 2, 60)[0].added("b")[0].revoked("a").save(_scratch() / "keys.json")
    return [(_scratch() / "keys.json").read_bytes()]


def request(data: bytes) -> None:
    """A request's body gives an answer or an error for every row."""
    from whichlever.serve.calls import explain_of, rows_of
    from whichlever.serve.rows import read_rows
    from whichlever.serve.wire import NotJson, dumped, loaded, loaded_exactly

    given = loaded(data)
    if not isinstance(given, dict):
        raise NotJson
    rows, _ = rows_of(given, 100)
    explain_of(given, len(rows))
    for document in (given, loaded_exactly(data)):
        rows, _ = rows_of(document, 100)
        asked = read_rows(_opened(), rows)
        assert len(asked.rows) + len(asked.errors) == len(rows) == len(asked.ids)
        lines = asked.lines(_opened().predictor.predict(asked.rows), None, _opened())
        assert len(lines) == len(rows)
        dumped({"answers": lines})


@lru_cache
def _opened() -> Bundle:
    return Bundle.open(tiny_bundle(_scratch() / "served.wl"), allow_unsigned=True)


def _requests() -> list[bytes]:
    return [
        b'{"rows": ["mimikatz dumped credentials", {"id": 7, "text": "backup job"}], "explain": 2}',
        b'{"row": {"id": "x\\ud83d\\ude00", "text": "\\u00e9 10.0.0.1", "n": [1e3, -2, null]}}',
    ]


def items(form: str) -> Callable[[bytes], None]:
    """Rows of a file are records, or say what is wrong."""

    def run(data: bytes) -> None:
        from whichlever.runtime.inputs import read_items

        for item in read_items(_file(data, f"rows.{form}"), None, form):  # type: ignore[arg-type]
            assert (item.record is None) == (item.error is not None)

    return run


JSONL = b'{"id": 1, "text": "a"}\r\n\n{"id": 2, "text": "b\\n", "x": [1, {"y": 2.5}]}\nnot json\n'
CSV = b'id,text\r\n1,"a ""b"", c\nd"\n2,e\n\n3\n'


def _parquet() -> list[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"id": [1, 2, None], "text": ["a", "b", None], "x": [[1], [], None]})
    pq.write_table(table, _scratch() / "seed.parquet")
    return [(_scratch() / "seed.parquet").read_bytes()]


def _request_refusals() -> tuple[type[BaseException], ...]:
    from whichlever.serve.calls import Problem
    from whichlever.serve.wire import NotJson

    return (Problem, NotJson)


def targets() -> list[Target]:
    """Every target that this machine can run."""
    bad = (BundleError,)
    linear = "model/linear/"
    found = [
        Target("archive", _tiny, archive, bad),
        Target("bundle", _tiny, whole, bad),
        Target("manifest", _seed(tiny_files, MANIFEST), manifest, bad),
        Target("manifest-in-bundle", _seed(tiny_files, MANIFEST),
               _member(tiny_files, MANIFEST), (WhichleverError,)),
        Target("linear-json", _seed(tiny_files, f"{linear}model.json"),
               _member(tiny_files, f"{linear}model.json"), bad),
        Target("linear-arrays", _seed(tiny_files, f"{linear}arrays.npz"),
               _member(tiny_files, f"{linear}arrays.npz"), bad),
        Target("jsonl", lambda: [JSONL], items("jsonl"), (InputError,)),
        Target("csv", lambda: [CSV], items("csv"), (InputError,)),
        Target("parquet", _parquet, items("parquet"), (InputError,), native=True),
    ]  # fmt: skip
    if importlib.util.find_spec("cryptography") and importlib.util.find_spec("model_signing"):
        found += [
            Target("signature", lambda: [_signed()[1]], signature, bad),
            Target("key-ring", _rings, key_ring, bad),
        ]
    if importlib.util.find_spec("orjson"):
        found += [
            Target("api-keys", _api_keys, api_keys, (InputError,)),
            Target("request", _requests, request, _request_refusals()),
        ]
    if importlib.util.find_spec("tokenizers"):
        name = "model/static/static.safetensors"
        found.append(Target("static", _seed(_static, name), _member(_static, name), bad, True))
        if importlib.util.find_spec("onnx") and importlib.util.find_spec("onnxruntime"):
            for file in ("encoder.onnx", "tokenizer.json"):
                name = f"model/encoder/{file}"
                run = _member(_encoder, name)
                found.append(Target(file, _seed(_encoder, name), run, bad, True))
    return found
