"""What an incident means here: could it work, how urgent is it, which class, why together.

Pure functions over rows (`exploitability`, `scoring`, `stages`, `classes`), what they are asked of
(`findings`), how they are said (`meanings`), and the two that read a store for one incident
(`incident`, `linking`). Made when somebody looks; see decision 0017.
"""
