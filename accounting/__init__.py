"""The calculation: from registers to grams of carbon dioxide, exactly.

Pure functions over data: no clock, no log, no network, no input or output but the
rule sets of this package. Start at `accounting.statement`.
"""
