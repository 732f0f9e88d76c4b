"""The base of every configuration value: frozen, checked, documented field by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """A frozen value whose unknown keys are errors and whose field docstrings reach `--help` and the JSON schema."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)

    @classmethod
    def part_of(cls, whole: Config) -> Self:
        """The fields of this class, taken from a larger configuration that inherits from it."""
        return cls(**{name: getattr(whole, name) for name in cls.model_fields})

    def replace(self, **changes: Any) -> Self:
        """A checked copy with some fields changed."""
        return type(self).model_validate({**self.model_dump(), **changes})

    def to_dict(self) -> Mapping[str, Any]:
        """Plain JSON types, in the order of the fields."""
        return self.model_dump(mode="json")
