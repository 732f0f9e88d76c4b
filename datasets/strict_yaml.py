"""YAML of a user's files, in which a key that stands twice is a mistake: PyYAML silently takes the last."""

from __future__ import annotations

from typing import Any

import yaml


class StrictLoader(yaml.SafeLoader):
    """Builds numbers, texts, lists and mappings alone, the latter without repeated keys."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """A mapping as it is written, before `<<` merges others into it. Raises yaml.composer.ComposerError."""
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.composer.ComposerError(None, None, f"the key `{key.value}` stands twice", key.start_mark)
                seen.add(key.value)
        return node


def load_yaml(text: str, loader: type[StrictLoader] = StrictLoader) -> Any:
    """The content of a YAML text. Raises yaml.YAMLError, whatever is wrong with it."""
    try:
        return yaml.load(text, loader)  # a SafeLoader: no object of any other kind is made
    except (ValueError, RecursionError) as error:  # a date such as 2024-99-99; lists nested without end
        raise yaml.YAMLError(str(error)) from None
