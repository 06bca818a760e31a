"""Where logs come from: for now, the files that a command line names."""

from bigsec.collect.inputs import FoundInputs, Input, find_inputs

__all__ = ["FoundInputs", "Input", "find_inputs"]
