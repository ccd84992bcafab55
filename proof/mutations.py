"""Small changes that a good test notices, by the operators of Cosmic Ray.

Each operator, number, condition, loop, exception and decorator is changed
once: ``+`` to ``-``, ``<`` to ``<=``, ``3`` to ``4``, ``if a`` to
``if not a``.

The operators: https://cosmic-ray.readthedocs.io/en/latest/reference/operators/
"""

import difflib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator

EACH_TO_ONE = {
    "Binary": (
        *("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Div"),
        *("Mod_FloorDiv", "Pow_Mul"),
    ),
    "Comparison": (
        *("Eq_NotEq", "NotEq_Eq", "Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt"),
        *("Is_IsNot", "IsNot_Is"),
    ),
    "Unary": ("USub_UAdd", "Delete_Not"),
}
"""To which other one each operator is changed; ``|`` stands in types only."""

OPERATORS = (
    *(
        f"Replace{kind}Operator_{change}"
        for kind, changes in EACH_TO_ONE.items()
        for change in changes
    ),
    *("NumberReplacer", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue"),
    *("ReplaceAndWithOr", "ReplaceOrWithAnd", "AddNot"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak"),
    *("ZeroIterationForLoop", "ExceptionReplacer", "RemoveDecorator"),
)
CONTEXT = 8
"""How many lines before and after a change are part of its name."""


@dataclass(frozen=True)
class Mutation:
    """One small change of a file."""

    path: str
    line: int
    operator: str
    occurrence: int
    name: str
    """The same for as long as the lines around the change are the same."""

    @property
    def place(self) -> str:
        """The file and the line."""
        return f"{self.path}:{self.line}"

    def apply(self, code: str) -> str:
        """Return the code of the file with the change in it."""
        changed: str = mutate_code(
            code, _operator(self.operator), self.occurrence
        )
        return changed

    def show(self, code: str) -> tuple[str, str]:
        """Return the lines that differ, as they were and as they are."""
        old, new = code.splitlines(), self.apply(code).splitlines()
        matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
        [(_, first, last, begin, end)] = [
            found for found in matcher.get_opcodes() if found[0] != "equal"
        ]
        was, now = old[first:last], new[begin:end]
        return "\n".join(was).strip(), "\n".join(now).strip()


def mutations(root: Path, path: str) -> Iterator[Mutation]:
    """Yield every change of the file at ``path`` under ``root``."""
    code = (root / path).read_text("utf-8")
    lines = code.splitlines()
    nodes = list(ast_nodes(get_ast(code)))
    for name in OPERATORS:
        operator = _operator(name)
        found = chain.from_iterable(map(operator.mutation_positions, nodes))
        for occurrence, ((line, column), _) in enumerate(found):
            # A number is offered with one more and one less; one will do.
            if name == "NumberReplacer" and occurrence % 2:
                continue
            around = lines[max(0, line - CONTEXT) : line + CONTEXT]
            parts = [path, name, str(column), lines[line - 1], *around]
            known_by = hashlib.sha256("\n".join(parts).encode())
            yield Mutation(
                path, line, name, occurrence, known_by.hexdigest()[:12]
            )


def _operator(name: str) -> Operator:
    return get_operator(f"core/{name}")()
