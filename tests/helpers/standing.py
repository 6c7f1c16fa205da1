"""Does an exercise's function stand in its lesson? Syntax trees are compared, names aside."""

import ast
import copy
from pathlib import Path

LARGE = 5  # expressions of fewer nodes are words that every text shares


class _Nameless(ast.NodeTransformer):
    """Gives every variable and argument the same name."""

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name("_", ast.Load())

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg("_", None)


def shapes(tree: ast.AST) -> set[str]:
    """The larger expressions of a tree, without their names."""
    found = set()
    for node in ast.walk(tree):
        plain = isinstance(node, (ast.Constant, ast.JoinedStr, ast.FormattedValue))
        if isinstance(node, ast.expr) and not plain:
            size = sum(isinstance(part, ast.expr) for part in ast.walk(node))
            if size >= LARGE:
                found.add(ast.dump(_Nameless().visit(copy.deepcopy(node))))
    return found


def share(function: ast.AST, lesson: ast.AST) -> float:
    """Which share of a function's larger expressions stands in a lesson."""
    own = shapes(function)
    return len(own & shapes(lesson)) / len(own) if own else 0.0


def standing(solution: Path, lesson: Path, names: set[str]) -> set[str]:
    """The functions of `names` of which half or more of the larger expressions stand there."""
    shown = ast.parse(lesson.read_text())
    return {
        node.name
        for node in ast.parse(solution.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name in names and share(node, shown) >= 0.5
    }
