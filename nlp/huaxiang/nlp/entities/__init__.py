"""Entities and their values: money, numbers, times, telephone numbers and names."""

from huaxiang.core.lexicon import Lexicon
from huaxiang.nlp.entities.grammar import EntityGrammar

__all__ = ["EntityGrammar", "Lexicon"]
