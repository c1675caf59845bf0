"""Read one mathematical expression, LaTeX or plain, into a tree.

A reader of our own, so that what is compared is all that was written: math-verify reads `1-\\frac{1}{\\mathrm{e}}` as 1.
What the grammar does not know is Unreadable; it never skips a character. Pure Python: the parent process uses it.
"""  # noqa: E501

from __future__ import annotations

from fractions import Fraction
from typing import Final

from reasoning.equivalence.exact import exact_or_none
from reasoning.equivalence.lexer import Cursor, Token, number, repeating, tokens
from reasoning.equivalence.names import FUNCTIONS, GREEK, INTEGERS, INVERSES, RENAMED
from reasoning.equivalence.tree import Expression, Node, TooDeep, Unreadable

LONGEST: Final = 2_000
_DEEPEST: Final = 60


def parse(text: str, *, tight: bool = False) -> Expression:
    """The tree of the whole text. With `tight`, `a/bc` is read as a/(bc). Raises Unreadable."""
    if len(text) > LONGEST:
        raise Unreadable("too long")
    reader = _Reader(tokens(text), tight=tight)
    tree = reader.whole()
    if reader.left:
        raise Unreadable(f"left over: {reader.left[0].text}")
    return Expression(tree, reader.ambiguous)


def _num(value: int | Fraction) -> Node:
    return Node("number", value=Fraction(value))


class _Reader(Cursor):
    """Recursive descent; every method eats what it reads from `left`."""

    def __init__(self, read: list[Token], *, tight: bool) -> None:
        super().__init__(read)
        self._tight = tight
        self._depth = 0
        self._bars = 0
        self.ambiguous = False
        letters = all(token.kind == "word" for token in read)
        self._wordy = letters and any(len(token.text) > 1 for token in read)

    def whole(self) -> Node:
        r"""A sum, or `n \choose k`, the old way to write a binomial, or `a \bmod m`, which fill their group."""
        tree = self.sum()
        if self._peek() == "\\choose":
            self._take()
            return Node("call", (tree, self.sum()), "binom")
        if self._peek() in ("\\bmod", "mod", "\\mod"):
            self._take()
            return Node("call", (tree, self.sum()), "mod")
        return tree

    def sum(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise TooDeep("too deep")
        tree = self._product()
        while self._peek() in ("+", "-"):
            minus = self._take().text == "-"
            term = self._product()
            tree = Node("+", (tree, Node("neg", (term,)) if minus else term))
        self._depth -= 1
        return tree

    def _product(self) -> Node:
        if self._peek() in ("-", "+"):
            minus = self._take().text == "-"
            self._depth += 1
            if self._depth > _DEEPEST:
                raise TooDeep("too deep")
            inner = self._product()
            self._depth -= 1
            return Node("neg", (inner,)) if minus else inner
        tree = self._power()
        slashed = False
        while True:
            mark = self._peek()
            if mark in ("*", "\\times", "\\cdot", "\\ast"):
                self._take()
                tree, slashed = Node("*", (tree, self._signed_power())), False
            elif mark in ("/", "\\div"):
                self._take()
                below = self._signed_power()
                while self._tight and self._starts_factor():
                    self.ambiguous = True
                    below = Node("*", (below, self._power()))
                tree, slashed = Node("/", (tree, below)), True
            elif self._starts_factor():
                self.ambiguous |= slashed
                tree = Node("*", (tree, self._power()))
            else:
                return tree

    def _signed_power(self) -> Node:
        if self._peek() == "-":
            self._take()
            return Node("neg", (self._power(),))
        return self._power()

    def _starts_factor(self) -> bool:
        """Does something follow that is multiplied without a sign? Digits never are: `2 3` is no product."""
        mark = self._peek()
        if mark == "|":
            return self._bars == 0
        if mark in ("(", "[", "{"):
            return True
        if self._at >= len(self._tokens):
            return False
        kind = self._tokens[self._at].kind
        if kind == "number":
            return self._at > 0 and self._tokens[self._at - 1].text == "!"
        return (kind == "word" and mark != "mod") or (
            kind == "command"
            and (mark[1:] in FUNCTIONS | GREEK or mark in ("\\frac", "\\pi", "\\binom", "\\lfloor", "\\lceil"))
        )

    def _power(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise TooDeep("too deep")
        tree = self._postfix(self._atom())
        if self._peek() in ("^", "**"):
            self._take()
            tree = Node("^", (tree, self._exponent()))
            tree = self._postfix(tree)
        self._depth -= 1
        return tree

    def _postfix(self, tree: Node) -> Node:
        while self._peek() in ("!", "°"):
            if self._take().text == "!":
                double = self._peek() == "!"
                self._at += double
                tree = Node("call", (tree,), "!!") if double else Node("!", (tree,))
            else:
                tree = Node("*", (tree, Node("/", (Node("constant", name="pi"), _num(180)))))
        return tree

    def _exponent(self) -> Node:
        if self._peek() == "{":
            return self._braced()
        return self._signed_power()

    def _braced(self) -> Node:
        self._expect("{")
        tree = self.whole()
        self._expect("}")
        return tree

    def _argument(self) -> Node:
        """What a LaTeX command takes: a group, else one digit or one letter."""
        if self._peek() == "{":
            return self._braced()
        token = self._take()
        if token.kind == "number" and token.text[0].isdigit():
            if len(token.text) > 1:
                self._at -= 1
                self._tokens[self._at] = Token("number", token.text[1:], spaced=False)
            return _num(int(token.text[0]))
        if token.kind == "word" and len(token.text) == 1:
            return self._constant_or_variable(token.text)
        self._at -= 1
        return self._atom()

    def _atom(self) -> Node:
        token = self._take()
        if token.kind == "repeating":
            return _num(repeating(token.text))
        if token.kind == "number":
            return self._mixed(number(token.text), token)
        if token.kind == "word":
            return self._word(token)
        if token.kind == "command":
            return self._command(token.text)
        return self._group(token.text)

    def _group(self, mark: str) -> Node:
        closing = {"(": ")", "[": "]", "{": "}", "|": "|"}.get(mark)
        if closing is None:
            raise Unreadable(mark)
        outside = self._bars
        self._bars = int(mark == "|")
        tree = self.whole()
        self._expect(closing)
        self._bars = outside
        return Node("call", (tree,), "abs") if mark == "|" else tree

    def _mixed(self, whole: Fraction, token: Token) -> Node:
        """`2\\frac{1}{3}` and `2 1/3` are two and a third, where what follows is a proper fraction of integers."""
        ahead = self._tokens[self._at : self._at + 7]
        shape = " ".join(part.text if part.kind in ("mark", "command") else part.kind for part in ahead)
        if not token.text.isdigit():
            return _num(whole)
        if shape.startswith("frac"):
            back = self._at
            self._take()
            above, below = self._argument(), self._argument()
            if above.kind == below.kind == "number" and above.value < below.value and below.value.denominator == 1:
                return _num(whole + above.value / below.value)
            self._at = back
            return _num(whole)
        if shape.startswith("number / number") and ahead[0].spaced:
            above_text, below_text = ahead[0].text, ahead[2].text
            if above_text.isdigit() and below_text.isdigit() and int(above_text) < int(below_text):
                self._at += 3
                return _num(whole + Fraction(int(above_text), int(below_text)))
        return _num(whole)

    def _word(self, token: Token) -> Node:
        text = RENAMED.get(token.text, token.text)
        if text in FUNCTIONS:
            return self._function(text)
        if text in INTEGERS:
            return self._several(text)
        if text == "pi":
            return Node("constant", name="pi")
        if len(text) == 1:
            return self._letter(text)
        joined = self._at < 2 or not token.spaced or self._tokens[self._at - 2].kind == "mark"
        if self._wordy or len(text) > 3 or not joined or not text.islower():
            raise Unreadable(text)
        letters = [Token("word", letter, spaced=False) for letter in text]
        self._tokens[self._at - 1 : self._at] = letters
        return self._letter(text[0])

    def _letter(self, text: str) -> Node:
        """A variable with its subscript. A digit right after a letter is no product, nor is f(…)."""
        following = self._tokens[self._at] if self._at < len(self._tokens) else None
        if following is not None and following.kind == "number" and not following.spaced:
            raise Unreadable(f"{text}{following.text}")
        if text in ("f", "g", "h", "P", "Q") and self._peek() == "(":
            raise Unreadable(f"{text}(")
        if self._peek() == "'":
            raise Unreadable("prime")
        return self._constant_or_variable(text + self._subscript())

    def _subscript(self) -> str:
        if self._peek() != "_":
            return ""
        self._take()
        if self._peek() != "{":
            return "_" + self._take().text
        self._take()
        inside = ""
        while self._peek() != "}":
            inside += self._take().text
        self._take()
        return "_" + inside

    @staticmethod
    def _constant_or_variable(name: str) -> Node:
        return Node("constant", name=name) if name in ("e", "i") else Node("variable", name=name)

    def _command(self, name: str) -> Node:
        if name in FUNCTIONS:
            return self._function(name)
        if name in INTEGERS:
            return self._several(name)
        if name == "pi":
            return Node("constant", name="pi")
        if name in GREEK:
            return Node("variable", name="\\" + name + self._subscript())
        if name == "frac":
            return Node("/", (self._argument(), self._argument()))
        if name == "binom":
            return Node("call", (self._argument(), self._argument()), "binom")
        closing = {"lfloor": "\\rfloor", "lceil": "\\rceil"}.get(name)
        if closing is None:
            raise Unreadable("\\" + name)
        inside = self.sum()
        self._expect(closing)
        return Node("call", (inside,), {"lfloor": "floor", "lceil": "ceil"}[name])

    def _several(self, name: str) -> Node:
        """gcd, lcm, max, min of what stands between commas."""
        closing = {"(": ")", "\\lbrace": "\\rbrace"}.get(self._peek())
        if closing is None:
            raise Unreadable(name)
        parts, mark = [], ","
        while mark == ",":
            self._take()
            parts.append(self.sum())
            mark = self._peek()
        self._expect(closing)
        return Node("call", tuple(parts), name)

    def _function(self, name: str) -> Node:
        if name == "sqrt":
            return self._root()
        base = self._log_base() if name == "log" else None
        power = None
        if self._peek() in ("^", "**"):
            self._take()
            power = self._exponent()
        if power is not None and exact_or_none(power) == -1:
            if name not in INVERSES:
                raise Unreadable(f"{name}^-1")
            name, power = INVERSES[name], None
        argument = self._function_argument()
        tree = Node("call", (argument,) if base is None else (argument, base), name)
        return tree if power is None else Node("^", (tree, power))

    def _log_base(self) -> Node | None:
        """`\\log_2`, and `log2(…)` as programs write it."""
        if self._peek() == "_":
            self._take()
            return self._argument()
        ahead = self._tokens[self._at : self._at + 2]
        if [token.text for token in ahead] in (["2", "("], ["10", "("]) and not ahead[0].spaced:
            return _num(int(self._take().text))
        return None

    def _root(self) -> Node:
        degree = _num(2)
        if self._peek() == "[":
            self._take()
            degree = self.sum()
            self._expect("]")
        if self._peek() == "(":
            self._take()
            inside = self.sum()
            self._expect(")")
        else:
            inside = self._argument()
        return Node("call", (inside, degree), "root")

    def _function_argument(self) -> Node:
        """`\\sin 2x` takes 2x, `\\sin x \\cos y` takes x, `\\sin(x) y` takes x."""
        if self._peek() in ("(", "{", "["):
            return self._group(self._take().text)
        tree = self._power()
        while (
            self._starts_factor()
            and self._peek() not in ("(", "[", "{", "|")
            and self._peek().lstrip("\\") not in FUNCTIONS
        ):
            tree = Node("*", (tree, self._power()))
        return tree
