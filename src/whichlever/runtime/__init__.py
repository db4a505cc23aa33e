"""Load a bundle and predict: numpy, scipy.sparse, onnxruntime, tokenizers; no torch."""
