"""Rule sets as data: one YAML file an edition, and the functions that load them."""

from accounting.rule_loading import (
    available_rule_sets,
    load_rule_set,
    load_rule_set_bytes,
)
from accounting.rule_sets import RuleSet

__all__ = ["RuleSet", "available_rule_sets", "load_rule_set", "load_rule_set_bytes"]
