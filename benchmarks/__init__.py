"""The hot paths beside their raw limits: `python -m benchmarks` measures all and writes `results.md`."""
