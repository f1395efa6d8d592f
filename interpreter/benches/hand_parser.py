"""Parsing by hand, a character at a time: a small language tokenised, parsed by precedence, folded and evaluated; JSON."""


class Token:
    __slots__ = ("kind", "text", "line")

    def __init__(self, kind, text, line):
        self.kind = kind
        self.text = text
        self.line = line


KEYWORDS = {"let", "while", "if", "else", "print"}
POWERS = {"or": 1, "and": 2, "<": 3, ">": 3, "==": 3, "+": 4, "-": 4, "*": 5, "/": 5, "%": 5}


def tokenize(source):
    i, line, end = 0, 1, len(source)
    while i < end:
        c = source[i]
        if c == "\n":
            line += 1
            i += 1
        elif c.isspace():
            i += 1
        elif c == "#":
            while i < end and source[i] != "\n":
                i += 1
        elif c.isalpha() or c == "_":
            start = i
            while i < end and (source[i].isalnum() or source[i] == "_"):
                i += 1
            word = source[start:i]
            kind = "keyword" if word in KEYWORDS else "operator" if word in POWERS else "name"
            yield Token(kind, word, line)
        elif c.isdigit():
            start = i
            while i < end and source[i].isdigit():
                i += 1
            yield Token("number", source[start:i], line)
        else:
            width = 2 if source[i : i + 2] == "==" else 1
            text = source[i : i + width]
            yield Token("operator" if text in POWERS else text, text, line)
            i += width
    yield Token("end", "", line)


class Parser:
    def __init__(self, source):
        self.tokens = tokenize(source)
        self.token = next(self.tokens)

    def advance(self):
        token = self.token
        self.token = next(self.tokens, token)
        return token

    def expect(self, kind, text=None):
        token = self.advance()
        if token.kind != kind or (text is not None and token.text != text):
            raise SyntaxError(f"line {token.line}: {text or kind} expected, not {token.text!r}")
        return token

    def program(self):
        statements = []
        while self.token.kind != "end":
            statements.append(self.statement())
        return statements

    def block(self):
        self.expect("{")
        statements = []
        while self.token.kind != "}":
            statements.append(self.statement())
        self.advance()
        return statements

    def statement(self):
        token = self.token
        if token.kind == "keyword":
            self.advance()
            if token.text == "while":
                return ("while", self.expression(), self.block())
            if token.text == "if":
                test, body, other = self.expression(), self.block(), []
                if self.token.text == "else":
                    self.advance()
                    other = self.block()
                return ("if", test, body, other)
            if token.text == "print":
                value = self.expression()
                self.expect(";")
                return ("print", value)
        name = self.expect("name").text
        self.expect("=")
        value = self.expression()
        self.expect(";")
        return ("assign", name, value)

    def expression(self, least=0):
        left = self.operand()
        while self.token.kind == "operator" and POWERS[self.token.text] > least:
            operator = self.advance().text
            left = fold(operator, left, self.expression(POWERS[operator]))
        return left

    def operand(self):
        token = self.advance()
        if token.kind == "number":
            return ("number", int(token.text))
        if token.kind == "name":
            return ("name", token.text)
        if token.text == "-":
            return fold("-", ("number", 0), self.operand())
        if token.kind == "(":
            inner = self.expression()
            self.expect(")")
            return inner
        raise SyntaxError(f"line {token.line}: {token.text!r}")


def apply(operator, a, b):
    if operator == "+":
        return a + b
    if operator == "-":
        return a - b
    if operator == "*":
        return a * b
    if operator == "/":
        return a // b
    if operator == "%":
        return a % b
    if operator == "<":
        return int(a < b)
    if operator == ">":
        return int(a > b)
    if operator == "==":
        return int(a == b)
    return (a and b) if operator == "and" else (a or b)


def fold(operator, left, right):
    if left[0] == right[0] == "number":
        return ("number", apply(operator, left[1], right[1]))
    return ("binary", operator, left, right)


def evaluate(node, names):
    kind = node[0]
    if kind == "number":
        return node[1]
    if kind == "name":
        return names[node[1]]
    return apply(node[1], evaluate(node[2], names), evaluate(node[3], names))


def execute(statements, names, out):
    for statement in statements:
        match statement:
            case ("assign", name, value):
                names[name] = evaluate(value, names)
            case ("while", test, body):
                while evaluate(test, names):
                    execute(body, names, out)
            case ("if", test, body, other):
                execute(body if evaluate(test, names) else other, names, out)
            case ("print", value):
                out.append(evaluate(value, names))


def parse_json(text, i=0):
    """One value and the place after it."""
    c = text[i]
    if c == " ":
        return parse_json(text, i + 1)
    if c == "{":
        result, i = {}, i + 1
        while text[i] != "}":
            key, i = parse_json(text, i)
            value, i = parse_json(text, i + 1)
            result[key] = value
            if text[i] == ",":
                i += 1
        return result, i + 1
    if c == "[":
        result, i = [], i + 1
        while text[i] != "]":
            value, i = parse_json(text, i)
            result.append(value)
            if text[i] == ",":
                i += 1
        return result, i + 1
    if c == '"':
        pieces, i = [], i + 1
        while text[i] != '"':
            if text[i] == "\\":
                i += 1
            pieces.append(text[i])
            i += 1
        return "".join(pieces), i + 1
    for word, value in (("true", True), ("false", False), ("null", None)):
        if text.startswith(word, i):
            return value, i + len(word)
    start = i
    while text[i] in "+-0123456789.eE":
        i += 1
    number = text[start:i]
    return (float(number) if "." in number or "e" in number else int(number)), i


SOURCE = """
n = 27; steps = 0;  # Collatz
while n > 1 { if n % 2 == 0 { n = n / 2; } else { n = 3 * n + 1; } steps = steps + 1; }
print steps; print (2 + 3) * 4 - -1; print 1 < 2 and 0 or 7;
"""
DOCUMENT = '{"a": [1, 2.5, -3e2, true, null], "text with \\"quotes\\"": {"inner": ["x", "y", {"z": false}]}, "n": 12345}'


def main(rounds):
    for _ in range(rounds):
        program = Parser(SOURCE * 6).program()
        out = []
        execute(program, {}, out)
        value, end = parse_json("[" + ", ".join([DOCUMENT] * 10) + "]")
    return len(program), sum(out), len(value), value[-1]["a"], end


print(main(300))
