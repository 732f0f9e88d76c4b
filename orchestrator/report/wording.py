"""Numbers as people read them. An unknown number is an empty text."""

from __future__ import annotations

import math

import pandas as pd


def percent(share: float) -> str:
    """`61.3 %`."""
    return "" if pd.isna(share) else f"{_fixed(share * 100, 1)} %"


def percent_interval(mean: float, low: float, high: float) -> str:
    """`61.3 % (55.0 to 67.6)`."""
    return _with_bounds(percent(mean), low * 100, high * 100)


def points_interval(mean: float, low: float, high: float) -> str:
    """`1.4 points (-0.2 to 3.0)`: a difference of two shares."""
    return "" if pd.isna(mean) else _with_bounds(f"{_fixed(mean * 100, 1)} points", low * 100, high * 100)


def epochs_interval(mean: float, low: float, high: float) -> str:
    """`-2.0 epochs (-3.1 to -0.9)`."""
    return "" if pd.isna(mean) else _with_bounds(f"{_fixed(mean, 1)} epochs", low, high)


def seconds_interval(mean: float, low: float, high: float) -> str:
    """`-2.0 s (-3.1 to -0.9)`; minutes where the mean is ten of them or more."""
    if pd.isna(mean):
        return ""
    unit, size = ("min", 60.0) if abs(mean) >= 600.0 else ("s", 1.0)
    return _with_bounds(f"{_fixed(mean / size, 1)} {unit}", low / size, high / size)


def number(value: float, digits: int = 0) -> str:
    """`12.0` with that many digits."""
    return "" if pd.isna(value) else _fixed(value, digits)


def p_value(value: float) -> str:
    """`0.031`, or `< 0.001`."""
    return "" if pd.isna(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"


def duration(seconds: float) -> str:
    """`4.6 s`, `12 min 05 s`, `3 h 02 min`."""
    if pd.isna(seconds):
        return ""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def listing(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def counted(count: int, noun: str) -> str:
    """`1 seed`, `6 seeds`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _with_bounds(text: str, low: float, high: float) -> str:
    if math.isnan(low) or not text:
        return text
    # An interval over seeds has no width where they agree; digits would say that the value is known that well.
    return f"{text} (seeds agree)" if high - low < 1e-9 else f"{text} ({_fixed(low, 1)} to {_fixed(high, 1)})"


def _fixed(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text  # no "-0.0"
