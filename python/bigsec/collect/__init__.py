"""Where logs come from: for now, files that a command line names, and standard input."""

from bigsec.collect.inputs import FoundInputs, Input, find_inputs
from bigsec.collect.standard_input import StandardInput

__all__ = ["FoundInputs", "Input", "StandardInput", "find_inputs"]
