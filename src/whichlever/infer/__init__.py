"""Inference shared by training and serving: numpy, tokenizers and onnxruntime, no torch.

What a lever learned answers through the code in this room, in a comparison and in a bundle alike,
so that there is one implementation of every model kind and the two cannot drift apart.
"""
