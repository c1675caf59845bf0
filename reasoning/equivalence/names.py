"""The names that the grammar knows."""

from __future__ import annotations

from typing import Final

FUNCTIONS: Final = frozenset(
    [
        "abs",
        "arccos",
        "arcsin",
        "arctan",
        "cbrt",
        "ceil",
        "cos",
        "cosh",
        "cot",
        "csc",
        "exp",
        "floor",
        "lg",
        "ln",
        "log",
        "sec",
        "sin",
        "sinh",
        "sqrt",
        "tan",
        "tanh",
    ]
)
GREEK: Final = frozenset(
    [
        "Delta",
        "Gamma",
        "Lambda",
        "Omega",
        "Phi",
        "Psi",
        "Sigma",
        "Theta",
        "Xi",
        "alpha",
        "beta",
        "chi",
        "delta",
        "ell",
        "epsilon",
        "eta",
        "gamma",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "omega",
        "phi",
        "psi",
        "rho",
        "sigma",
        "tau",
        "theta",
        "varepsilon",
        "varphi",
        "vartheta",
        "xi",
        "zeta",
    ]
)
INTEGERS: Final = frozenset(["gcd", "lcm", "max", "min"])
"""Functions of several arguments."""
KNOWN: Final = (
    FUNCTIONS
    | GREEK
    | INTEGERS
    | {
        "bmod",
        "mod",
        "frac",
        "pi",
        "binom",
        "choose",
        "lfloor",
        "rfloor",
        "lceil",
        "rceil",
        "times",
        "cdot",
        "div",
        "ast",
    }
)
"""Every LaTeX command of the grammar."""
LENT: Final = frozenset(
    ["sum", "prod", "int", "iint", "lim", "to", "rightarrow", "infty", "det", "mathbb"]
) | frozenset(
    ["emptyset", "varnothing", "lbrace", "rbrace", "cup", "cap", "setminus", "pm", "le", "ge", "begin", "end"]
)
r"""The commands that math-verify may be asked about. Others it is known to misread (`7 \bmod 3`) or may."""
RENAMED: Final = {"asin": "arcsin", "acos": "arccos", "atan": "arctan"}
INVERSES: Final = {"sin": "arcsin", "cos": "arccos", "tan": "arctan"}
