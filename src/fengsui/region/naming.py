"""English names of townships: the kind translated, the rest by sound.

Names of Mongolian origin are written as the gazetteers of the region write their elements (``Bayan``, ``Ulan``,
``Nur``); everything else is Hanyu Pinyin (GB/T 28039-2011 writes Chinese names so). It is a help for readers of
English, not an official spelling.
"""

from __future__ import annotations

import functools

KINDS = (
    ("达斡尔族乡", "Daur Ethnic Township"),
    ("鄂温克民族乡", "Evenk Ethnic Township"),
    ("鄂温克族乡", "Evenk Ethnic Township"),
    ("达斡尔民族乡", "Daur Ethnic Township"),
    ("俄罗斯民族乡", "Russian Ethnic Township"),
    ("朝鲜民族乡", "Korean Ethnic Township"),
    ("满族乡", "Manchu Ethnic Township"),
    ("蒙古族乡", "Mongol Ethnic Township"),
    ("回族乡", "Hui Ethnic Township"),
    ("民族乡", "Ethnic Township"),
    ("族乡", "Ethnic Township"),
    ("街道", "Subdistrict"),
    ("苏木", "Sumu"),
    ("镇", "Town"),
    ("乡", "Township"),
)
ROADS = (
    ("东路", "East Road"),
    ("西路", "West Road"),
    ("南路", "South Road"),
    ("北路", "North Road"),
    ("中路", "Middle Road"),
    ("东街", "East Street"),
    ("西街", "West Street"),
    ("南街", "South Street"),
    ("北街", "North Street"),
    ("大街", "Avenue"),
    ("路", "Road"),
    ("街", "Street"),
)
ELEMENTS = {
    "鄂温克": "Evenk",
    "鄂伦春": "Oroqen",
    "达斡尔": "Daur",
    "巴彦": "Bayan",
    "巴音": "Bayan",
    "白音": "Bayan",
    "乌兰": "Ulan",
    "查干": "Qagan",
    "察干": "Qagan",
    "哈拉": "Har",
    "呼和": "Hoh",
    "浩特": "hot",
    "塔拉": "tala",
    "淖尔": "nur",
    "诺尔": "nur",
    "高勒": "gol",
    "郭勒": "gol",
    "乌拉": "ula",
    "哈达": "hada",
    "敖包": "Obo",
    "宝拉格": "bulag",
    "宝力格": "bulag",
    "布拉格": "bulag",
    "达来": "Dalai",
    "达赉": "Dalai",
    "额尔敦": "Erden",
    "阿拉坦": "Altan",
    "锡尼": "Xin",
    "希尼": "Xin",
    "毛都": "Modo",
    "温都尔": "Undur",
    "敦都": "Dund",
    "伊和": "Ih",
    "伊克": "Ih",
    "巴嘎": "Bag",
    "呼伦": "Hulun",
    "贝尔": "Buir",
    "海拉尔": "Hailar",
    "乌素": "us",
    "乌苏": "us",
    "宝日": "Bor",
    "布日": "Bur",
    "胡硕": "Hoxu",
    "呼硕": "Hoxu",
    "库伦": "Hure",
    "呼热": "Hure",
    "阿尔山": "Arxan",
    "阿日": "Ar",
    "额济纳": "Ejin",
    "希拉": "Xar",
    "锡林": "Xilin",
    "阿木古郎": "Amgalang",
    "桑根": "Sanggin",
    "达来库布": "Dalain Hob",
    "扎兰屯": "Zalantun",
    "满都": "Mand",
    "图古日格": "Tugrig",
    "格日勒": "gerel",
    "那仁": "Naran",
    "敖伦": "Olon",
    "朝克": "Qog",
}


@functools.cache
def _pinyin(text: str) -> str:
    from pypinyin import lazy_pinyin  # its dictionary takes a second to load, and pages never ask

    return "".join(lazy_pinyin(text))


@functools.lru_cache(maxsize=8192)
def sorting(text: str) -> str:
    """Pinyin with tone numbers, syllables apart: what a list of names is sorted by."""
    from pypinyin import Style, lazy_pinyin

    return " ".join(lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True))[:160]


def _sound(text: str) -> str:
    """Elements of Mongolian origin by the gazetteer, the rest by pinyin, joined into one word."""
    parts: list[str] = []
    at = 0
    while at < len(text):
        length = next((size for size in (4, 3, 2) if text[at : at + size] in ELEMENTS), 0)
        parts.append(ELEMENTS[text[at : at + length]] if length else _pinyin(text[at]))
        at += length or 1
    joined = "".join(part.lower().replace(" ", "") for part in parts)
    return joined[:1].upper() + joined[1:]


def english(name_zh: str) -> str:
    """``乌兰图克镇`` → ``Ulantuke Town``; ``海拉尔东路街道`` → ``Hailar East Road Subdistrict``."""
    stem, kind = name_zh, ""
    for ending, word in KINDS:
        if name_zh.endswith(ending) and name_zh != ending:
            stem, kind = name_zh.removesuffix(ending), word
            break
    road = ""
    if kind == "Subdistrict":
        ended = ((word, stem.removesuffix(end)) for end, word in ROADS if stem.endswith(end) and stem != end)
        road, stem = next(ended, ("", stem))
    return " ".join(part for part in (_sound(stem), road, kind) if part)
