"""Conversation metrics: what can be measured of a talk, party by party (docs/metrics.md)."""

from huaxiang.nlp.metrics.conversation import conversation_metrics

__all__ = ["conversation_metrics"]
