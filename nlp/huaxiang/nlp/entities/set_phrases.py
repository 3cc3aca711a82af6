"""Passages in which a numeral is neither an amount nor a count, whatever unit follows it.

A share (十个里有九个), a split (三七分), a kind of building (两梯四户), a time taken (七分二十), the name of
a set (四件套): what is counted there is not what the speaker has, wants or pays.
"""

from __future__ import annotations

import re

_N = r"[零一二两三四五六七八九十百\d]"
_MINUTES = r"(?:[二三四五]?十[一二三四五六七八九]?|[一二两三四五六七八九]|[1-5]?\d)"
_SECONDS = r"(?:[一二三四五]十[一二三四五六七八九]?|[1-5]\d)"
_PASSAGES = re.compile(
    rf"(?<!{_N})(?:十|10)(?P<counted>[个家位户台辆件条])(?:里[头面边]?|当中|之中|中间|有)[^，。？！、]{{0,3}}?{_N}+(?P=counted)"
    r"|一九[分开]|二八[分开]|三七[分开]|四六[分开]|五五[分开]|六四[分开]|七三[分开]|八二[分开]|九一[分开]"
    r"|(?<!\d)(?:19|28|37|46|55|64|73|82|91)开"
    rf"|{_N}+梯{_N}+户"
    rf"|(?<![{_N[1:-1]}千万]){_MINUTES}分{_SECONDS}秒?(?![\d百千万人个期块元毛.]|%)"
    rf"|{_N}+件套|货比三家|[老小]两口子?|三方(?=都|电话|通话|协议|合同|面谈|开会|会议|在场)|[俩仨]小时"
)


def set_phrases(text: str) -> list[tuple[int, int]]:
    """Return ``(start, end)`` of every such passage of ``text``, from left to right."""
    return [match.span() for match in _PASSAGES.finditer(text)]
