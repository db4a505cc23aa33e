"""Load a bundle and predict: numpy, onnxruntime, tokenizers; no torch, no scipy."""
