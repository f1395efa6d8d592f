"""Writes the cases of `tests.rs`, with what CPython 3.13's own `re` does for each.

    python3.13 make_cases.py > cases.txt            the cases that are checked in
    python3.13 make_cases.py SEED COUNT > /tmp/f    random ones, for `KRAIT_SRE_CASES=/tmp/f cargo test`

A line is `mode groups start end must;code;text;result`, all numbers; a comment line before it shows the pattern.
The result is `-`, or `start end lastindex` and the bounds of each group, -1 where it has none; `!` stands for bounds
in the wrong order, which CPython reports as a bug of its own.
"""
import random
import re
import sys
import warnings
from re import _compiler, _parser

warnings.simplefilter("ignore")

CASES = [
    (r"abc", 0, ["xabcx", "ab", "", "ababc"]),
    (r"a|b", 0, ["cb", "c"]),
    (r"(a)|b", 0, ["b", "a"]),
    (r"(a)|(b)", 0, ["cb", "ba"]),
    (r"(?:(a)|b)*", 0, ["ab", "ba", "aab", ""]),
    (r"(?:(a)|(b)|c)*", 0, ["abc", "cab", "bbac"]),
    (r"(a*)*", 0, ["aaa", "b", ""]),
    (r"(a*)+", 0, ["aaa", "b", ""]),
    (r"(?:a*?)*?b", 0, ["aaab", "b", "a"]),
    (r"(a|ab)(c|bcd)(d*)", 0, ["abcd"]),
    (r"(.*)c(.*)", 0, ["abcde", "cc\nc", "x"]),
    (r".*?foo", re.S, ["a\nfoofoo", "fo"]),
    (r"x{2,3}y", 0, ["xxxxy", "xy", "xxy"]),
    (r"x{2,3}?y", 0, ["xxxxy", "xy", "xxy"]),
    (r"(?:ab){2,3}c", 0, ["ababababc", "abc", "ababc"]),
    (r"(?:ab){2,3}?c", 0, ["ababababc", "abc", "ababc"]),
    (r"(?P<q>['\"]).*?(?P=q)", 0, ["say 'it\"s' so", "'x"]),
    (r"(a)(?(1)b|c)", 0, ["ab", "ac"]),
    (r"(a)?(?(1)b|c)", 0, ["ab", "c", "ac", "b"]),
    (r"(a)?(?(1)b)d", 0, ["abd", "d", "ad"]),
    (r"(?=ab)a(?!c)", 0, ["ac ab", "xac"]),
    (r"(?<=ab)c", 0, ["abc", "ac", "c"]),
    (r"(?<!ab)c", 0, ["abc", "ac", "c"]),
    (r"(?=(a+))a*b\1", 0, ["aaabaaa", "baaabac"]),
    (r"(?!(a))b\1?", 0, ["ab", "b"]),
    (r"^a", 0, ["ba", "a", "b\na"]),
    (r"^a$", re.M, ["b\na\nc", "a\n", "\na"]),
    (r"a$", 0, ["a", "a\n", "a\n\n", "ab"]),
    (r"\Aa\Z", 0, ["a", "a\n"]),
    (r"\bfoo\b", 0, ["a foo b", "foobar foo", "barfoo"]),
    (r"\Bo\B", 0, ["foo", "fooo"]),
    (r"\b", re.A, ["\xe9a", ""]),
    (r"\B", 0, ["", "a", "  "]),
    (r"[a-c]+d", 0, ["xxabcd", "abce"]),
    (r"[^a-c]+", 0, ["abcxyz", "abc"]),
    (r"[\w-]+@[\w.]+", 0, ["mail bob-x@ex.org now", "none"]),
    (r"\d+\s\D+\S", 0, ["a12 bc d", "12"]),
    (r"[\u0430-\u044f]+", 0, ["abc \u043f\u0440\u0438", "abc"]),
    (r"[\u0430\u0432\u0435\u4e00]+x?", 0, ["\u0430\u0432\u4e00x", "z"]),
    (r"[\U0001f600-\U0001f64f]", 0, ["a\U0001f601", "a"]),
    (r"abc", re.I, ["xABc", "ab"]),
    (r"k[s-t]", re.I, ["\u212a\u017f", "KT", "ku"]),
    (r"[^k]", re.I, ["kK\u212aa", "k"]),
    (r"stra\xdfe", re.I, ["STRA\u1e9eE", "STRASSE", "Stra\xdfe"]),
    (r"(\w)\1", re.I, ["aA", "\xe9\xc9", "ab"]),
    (r"(\w)\1", re.I | re.A, ["aA", "\xe9\xc9", "ab"]),
    (r"[a-z\xe0]+", re.I | re.A, ["ABC\xc0", "\xe0"]),
    (r"[\U00010400-\U00010410]+", re.I, ["\U00010428\U00010400", "a"]),
    (rb"[a-z]+\w", 0, [b"ABcd\xff", b"\xff"]),
    (rb"a\xff", re.I, [b"A\xff"]),
    (rb"[a\xe9]+\w", re.L | re.I, [b"xA\xe9a", b"\xc9"]),
    (rb"a.\b", re.L, [b"xab c", b"a"]),
    (r"a++b", 0, ["aaab", "aaac"]),
    (r"a++a", 0, ["aaa"]),
    (r"(?:ab)++c", 0, ["ababc", "abab"]),
    (r"(?:a|ab)*+c", 0, ["aabc", "aac"]),
    (r"(?:(?:(a)x|ab))++", 0, ["axab", "axaxab"]),
    (r"(?:(?:(a)x?)|b){1,3}+", 0, ["axba", "bbaa"]),
    (r"(?>a*)ab", 0, ["aaab"]),
    (r"(?>a|ab)c", 0, ["abc", "ac"]),
    (r"(?>(a+)b|c)\1?", 0, ["aaba", "c"]),
    (r"(?:x|(?>a(b)?))+", 0, ["xabxa", "aab"]),
    (r"((?:a?)+?)b", 0, ["aab", "b"]),
    (r"(?:(a)|(b))*?c", 0, ["abc", "bac", "c"]),
    (r"((a)|b|c)*?d\2", 0, ["abcda", "bd", "acda"]),
    (r"(?:(?:a|b)+?,)+;", 0, ["ab,b,;", "ab,b,"]),
    (r"(?:([ab])+,)*;\1", 0, ["ab,ba,;a", ";"]),
    (r"(ab|cd)ef|abeg", 0, ["abeg", "cdef"]),
    (r"(?i:a)b", 0, ["Ab", "AB"]),
    (r"aab", 0, ["aaaab", "aaaa"]),
    (r"aabaa(b|c)", 0, ["aabaabaac", "aabaab"]),
    (r"", 0, ["", "a"]),
    (r"(?!)", 0, ["", "a"]),
    (r"[\s\S]{3}", 0, ["ab", "abc"]),
    (r"(?:.|\n)*?x", 0, ["ab\nx"]),
    (r"(a?)*?$", 0, ["aa"]),
    (r"(?:(?=(a)|b).)*", 0, ["ab", "ba"]),
    (r"(?:(?!(ab)).)*", 0, ["xxab", "ab"]),
    (r"(?<=(.))b|c", 0, ["ab", "c"]),
]

MODES = "MFS"


def result(pattern, text, mode, start, end):
    try:
        m = {"M": pattern.match, "F": pattern.fullmatch, "S": pattern.search}[mode](text, start, end)
    except SystemError:
        return "!"
    if m is None:
        return "-"
    spans = [n for span in m.regs[1:] for n in span]
    return " ".join(map(str, [*m.span(), -1 if m.lastindex is None else m.lastindex, *spans]))


def emit(source, flags, text, mode, start=0, end=None):
    pattern = re.compile(source, flags)
    parsed = _parser.parse(source, flags)
    code = _compiler._code(parsed, pattern.flags)
    end = len(text) if end is None else end
    codes = list(text) if isinstance(text, bytes) else list(map(ord, text))
    print(f"# {source!a} {flags:d} {text!a}")
    print(f"{mode} {pattern.groups} {start} {end} 0", " ".join(str(int(c)) for c in code),
          " ".join(map(str, codes)), result(pattern, text, mode, start, end), sep=";")


def checked_in():
    for source, flags, texts in CASES:
        for text in texts:
            for mode in MODES:
                emit(source, flags, text, mode)
            if len(text) > 2:
                emit(source, flags, text, "S", 1, len(text) - 1)


def random_pattern(rnd, depth=3):
    kind = rnd.random()
    if depth == 0 or kind < 0.35:
        return rnd.choice(["a", "b", "c", ".", "[ab]", "[^a]", r"\w", r"\b", "^", "$", "ab", "bc", "[a-c]", r"\s", "A"])
    inner = random_pattern(rnd, depth - 1)
    if kind < 0.5:
        return inner + random_pattern(rnd, depth - 1)
    if kind < 0.6:
        return f"({inner})"
    if kind < 0.7:
        return f"(?:{inner}|{random_pattern(rnd, depth - 1)})"
    if kind < 0.9:
        times = rnd.choice(["*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}"]) + rnd.choice(["", "", "?", "+"])
        group = rnd.choice(["(?:{})", "({})"])
        return group.format(inner) + times
    if kind < 0.96:
        return rnd.choice(["(?={})", "(?!{})", "(?>{})", "(?<={})", "(?<!{})"]).format(inner)
    return inner + rnd.choice([r"\1", "(?(1)a|b)", "(?(1)a)", r"(?i:a)"])


def randoms(seed, count):
    rnd = random.Random(seed)
    while count:
        source = "".join(random_pattern(rnd, 4) for _ in range(rnd.randint(1, 3)))
        if rnd.random() < 0.2:
            source = f"(a)?{source}\\1"
        flags = rnd.choice([0, 0, re.I, re.M, re.S, re.A, re.A | re.I])
        try:
            re.compile(source, flags)
        except re.error:
            continue
        for _ in range(3):
            text = "".join(rnd.choice("aaabbcA \n\u0431") for _ in range(rnd.randint(0, 9)))
            emit(source, flags, text, rnd.choice(MODES), rnd.choice([0, 0, 1]),
                 max(len(text) - rnd.choice([0, 0, 1]), 0))
        count -= 1


if len(sys.argv) > 2:
    randoms(int(sys.argv[1]), int(sys.argv[2]))
else:
    checked_in()
