"""Alarm rules, alarms and their events, the relay's position, devices' tokens and counters."""

from .alarms import Alarm, AlarmEvent, Concealment
from .ingest import IngestCounter, RelayPosition, SiteCredential
from .rules import Rule, RuleChange

__all__ = ["Alarm", "AlarmEvent", "Concealment", "IngestCounter", "RelayPosition", "Rule", "RuleChange", "SiteCredential"]
