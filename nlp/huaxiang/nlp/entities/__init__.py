"""Entities and their values: money, numbers, times, telephone numbers and names."""

from huaxiang.nlp.entities.grammar import EntityGrammar
from huaxiang.nlp.entities.lexicon import Lexicon

__all__ = ["EntityGrammar", "Lexicon"]
