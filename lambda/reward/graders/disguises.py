"""Text as a reader sees it: a word in bold is the word, and a forbidden one with a letter of another script in it is still said."""

from __future__ import annotations

import re

# Not between digits, where an asterisk multiplies; an underscore is emphasis at the edge of a word and part of a name inside it.
_MARKUP = re.compile(
    r"</?[A-Za-z][A-Za-z0-9]{0,9}(?: [^<>]{0,200})?/?>|\\(?=[!-/:-@\[-`{-~])"
    r"|(?<!\d)[*`~]{1,3}|[*`~]{1,3}(?!\d)|(?<!\w)_{1,3}(?=\w)|(?<=\w)_{1,3}(?!\w)"
)
_ENTITY = re.compile(r"&(?:#|[A-Za-z])")
# Leading zeros say nothing; a number longer than any sign's is none, and Python refuses to read one of thousands of digits.
_ZEROS = re.compile(r"(&#[xX]?)0++(?=[0-9A-Fa-f])")
_NO_SIGN = re.compile(r"&#(?:[0-9]{8,}+|[xX][0-9A-Fa-f]{7,}+);?")
_MARK = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]")
_LETTERS = re.compile(r"[^\W\d_]+")
_LATIN = re.compile("[A-Za-z]")
_ALIKE = str.maketrans(
    # Cyrillic small and capital, Greek small and capital, then letters of Latin that pass for a plainer one.
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u04cf"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
    "\u03bf\u03b1\u03bd\u03c1\u03b9\u03ba\u03c5"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u0131\u0251\u0261",
    "".join(["aeopcyxijshdqwl", "ABEKMHOPCTYXIJS", "oavpiku", "ABEZHIKMNOPTYX", "iag"]),
)


def unmarked(text: str) -> str:
    """`text` with its entities decoded, and without tags, emphasis and escapes."""
    if "&" in text and _ENTITY.search(text):
        import html  # noqa: PLC0415 - its table of names is loaded for the few texts that need it

        text = html.unescape(_NO_SIGN.sub("\ufffd", _ZEROS.sub(r"\1", text)))
    return _MARKUP.sub("", text)


def undisguised(text: str) -> str:
    """`text`, which is in Unicode's compatibility form, without marks set over or through plain letters, and with the letters that pass
    for Latin ones as those in each word that mixes them with Latin. A word wholly in another script is left as it is."""
    return text if text.isascii() else _LETTERS.sub(_latin, _MARK.sub("", text))


def _latin(word: re.Match[str]) -> str:
    return word[0].translate(_ALIKE) if not word[0].isascii() and _LATIN.search(word[0]) else word[0]
