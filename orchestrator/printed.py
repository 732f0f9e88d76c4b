"""A number as a table prints it: its value, and by its digits the range of values that would be printed so."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Annotated, Any, Self

import yaml
from pydantic import AfterValidator, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from datasets.strict_yaml import StrictLoader, load_yaml

_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))\s*(%?)")
MOST_DIGITS = 15
"""Beyond so many digits a float no longer tells them apart."""


class Printed(float):
    """A float that knows how many digits were printed: 0.60 lies between 0.595 and 0.605, 0.6 between 0.55 and 0.65.

    Percentages count as shares: `77.78 %` is 0.7778. Raises ValueError for a text that is no decimal number.
    """

    exact: Decimal
    """What was printed, digit by digit."""
    cut: bool = False
    """Whether the digits may have been cut off, or always rounded up: then a whole last digit is uncertain."""

    def __new__(cls, number: str | float) -> Self:
        """From the printed text, or from a float as Python writes it."""
        exact = _decimal(number if isinstance(number, str) else repr(float(number)))
        printed = super().__new__(cls, exact)
        printed.exact = exact
        return printed

    @property
    def decimals(self) -> int:
        """Digits after the point."""
        return max(0, -int(self.exact.as_tuple().exponent))

    @property
    def half_unit(self) -> Fraction:
        """Half of the last digit: what rounding can have added or taken away."""
        return Fraction(1, 2 * 10**self.decimals)

    @property
    def reach(self) -> Fraction:
        """How far the value may lie from what was printed."""
        return 2 * self.half_unit if self.cut else self.half_unit

    @cached_property
    def low(self) -> Fraction:
        """The least value that is printed as this one."""
        return Fraction(self.exact) - self.reach

    @cached_property
    def high(self) -> Fraction:
        """The greatest value that is printed as this one; whether a half goes up or down is left open."""
        return Fraction(self.exact) + self.reach

    def perhaps_cut(self) -> Self:
        """The same number with `cut`."""
        loose = type(self)(f"{self.exact:f}")
        loose.cut = True
        return loose

    def holds(self, value: Fraction) -> bool:
        """Whether `value` may have been printed so."""
        return self.low <= value <= self.high

    @classmethod
    def parse(cls, value: object) -> Self:
        """A value of a YAML file. Raises ValueError."""
        if isinstance(value, cls):
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise ValueError("a number such as 0.78, or 78 %")
        return cls(value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Parsed by `parse`, written as a plain float."""
        as_float = core_schema.plain_serializer_function_ser_schema(float)
        return core_schema.no_info_plain_validator_function(cls.parse, serialization=as_float)


def _share(number: Printed) -> Printed:
    if not 0 <= number <= 1:
        raise ValueError("a share from 0 to 1 such as 0.78, or a percentage with its sign, 78 %")
    return number


def _change(number: Printed) -> Printed:
    if not -1 <= number <= 1:
        raise ValueError("a difference of shares from -1 to 1 such as 0.062, or percentage points with a sign, 6.2 %")
    return number


def _positive(number: Printed) -> Printed:
    if number <= 0:
        raise ValueError("greater than 0")
    return number


Share = Annotated[Printed, AfterValidator(_share)]
Change = Annotated[Printed, AfterValidator(_change)]
Positive = Annotated[Printed, AfterValidator(_positive)]


MOST_PHOTOS = 1_000_000
"""A study of more photos would take too long to check."""
Count = Annotated[int, Field(ge=0, le=MOST_PHOTOS, strict=True)]
CountFromOne = Annotated[int, Field(ge=1, le=MOST_PHOTOS, strict=True)]


class PrintedLoader(StrictLoader):
    """Reads YAML with every decimal number as `Printed`."""


def _printed(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    text = str(node.value)
    return Printed(text) if _NUMBER.fullmatch(text) else loader.construct_yaml_float(node)


PrintedLoader.add_constructor("tag:yaml.org,2002:float", _printed)


def load_printed(text: str) -> Any:
    """The content of a YAML text, numbers as `Printed`. Raises yaml.YAMLError."""
    return load_yaml(text, PrintedLoader)


def _decimal(text: str) -> Decimal:
    found = _NUMBER.fullmatch(text.strip())
    if not found:
        raise ValueError("a number such as 0.78, or 78 %")
    number, percent = found.groups()
    if len(number) > MOST_DIGITS:
        raise ValueError(f"a number of at most {MOST_DIGITS} digits")
    return Decimal(number).scaleb(-2) if percent else Decimal(number)
