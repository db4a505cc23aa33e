"""The version: part of every step's key, so that another version never reads its results."""

VERSION = "0.1.0"
