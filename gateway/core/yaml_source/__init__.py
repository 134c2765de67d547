"""YAML files with the place of every value, and what is wrong with those that can't be read, in plain words. Pure."""

from gateway.core.yaml_source.faults import decoded
from gateway.core.yaml_source.source import Path, Position, Source, known_names, parse_yaml, suggest

__all__ = ["Path", "Position", "Source", "decoded", "known_names", "parse_yaml", "suggest"]
