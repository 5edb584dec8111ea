"""Blocks of plain numbers, read by Arrow: many times as fast as what looks at every kind of cell, and only what is wanted."""

import re

import numpy as np

from ..validation import EXACT_INTEGERS
from .cells import room
from .numerals import LEAST_NORMAL, may_be_tiny
from .records import QUOTE


def plain_numbers(block, layout, wanted):
    """The numbers of some fields, or None where a cell, or a row, is not as plain as that and has to be looked at.

    Parameters
    ----------
    block : Block
    layout : Layout
    wanted : list of int
        The fields; the others are counted, and not converted.

    Returns
    -------
    ndarray of shape (n_rows, n_wanted), float64, NaN where a value is missing; or None
    """
    mark, text = layout.delimiter, block.text
    if mark == " " or len(mark.encode()) > 1 or _loose_quote(text, mark):
        return None
    try:
        import pyarrow as pa
        from pyarrow import csv
    except ImportError:  # it is not there on all systems
        return None
    names, data = [str(f) for f in range(layout.width)], text.encode()
    fields = [names[f] for f in dict.fromkeys([*wanted, layout.width - 1] if layout.ended else wanted)]
    try:
        table = csv.read_csv(
            pa.BufferReader(data),
            csv.ReadOptions(use_threads=False, column_names=names, block_size=len(data) + 1),
            csv.ParseOptions(delimiter=mark, newlines_in_values=QUOTE in text, ignore_empty_lines=False),
            csv.ConvertOptions(
                column_types=dict.fromkeys(fields, pa.float64()),
                include_columns=fields,
                null_values=sorted(layout.missing),
                decimal_point=layout.notation.decimal,
            ),
        )
    except pa.ArrowInvalid:
        return None
    if (
        table.num_rows != len(block.lines)
        or layout.ended
        and table.column(fields[-1]).null_count < table.num_rows
    ):
        return None
    numbers, zeros = room(table.num_rows, len(wanted)), False
    for i, f in enumerate(wanted):
        values = table.column(names[f])
        numbers[:, i] = column = values.to_numpy()
        size = np.abs(column)
        n_fine = np.count_nonzero(
            size < EXACT_INTEGERS
        )  # neither infinite nor a NaN that Arrow reads and nobody writes
        if n_fine + values.null_count < len(values):
            return None
        zeros |= bool((size < LEAST_NORMAL).any())
    return None if zeros and may_be_tiny(text) else numbers


def _loose_quote(text, mark):
    """Is there a quote that is never closed, which Arrow closes, or one after a blank, which it takes for a character of the field?"""
    odd = text.count(QUOTE) % 2
    return odd or QUOTE in text and re.search(rf'(?:^|{re.escape(mark)}) +"', text, re.MULTILINE) is not None
