print("straße".upper(), "ŉ".title(), "İ".lower().encode(), "ﬀ".capitalize(), "ς".casefold())
print("a,b,,c".split(","), " a  b ".split(), "abc".partition("b"), "x".join("abc"), "a\tb".expandtabs(4))
print("%5.1f|%-5s|%05d|%x|%r|%%" % (3.14159, "ab", 42, 255, "q"), "{:>{w}}|{!r}|{a[0]}".format("x", "y", w=4, a=[1]))
print(repr("'\"\n\x00\u200b\U0001f40d\ud800"), ascii("é"), "abc"[::-1], "abc"[5:], "z" in "xyz")
print(b"a\xffb".decode("utf-8", "replace"), "é".encode("ascii", "xmlcharrefreplace"), b"ab".hex("-"), bytes.fromhex("0aFF"))
name, value = "x", 3.5
print(f"{name!r:>6} {value=} {value:{'.2f'}} {'nested ' + f'{name}'} {{}}")
print("ab" * 0, "abc".find(""), "abc".replace("", "-"), "aXbX".rsplit("X", 1), "abc".translate({97: None, 98: "BB"}))
"abc".index("d")
