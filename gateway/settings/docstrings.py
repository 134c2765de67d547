"""What stands below each setting in its class, read only where a schema or a page is made.

pydantic's own `use_attribute_docstrings` reads all sources again at each import, which costs every start 50 ms.
"""

import ast
import inspect
import textwrap
from collections.abc import Mapping
from itertools import pairwise

from pydantic import BaseModel

_OWN = __name__.partition(".")[0] + "."


def docstrings(section: type[BaseModel]) -> Mapping[str, str]:
    """Return the text below each field of a section and of the classes that it is made from, by the field's name."""
    texts: dict[str, str] = {}
    for one in reversed(section.__mro__):
        if not one.__module__.startswith(_OWN):
            continue
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(one))).body
        assert isinstance(definition, ast.ClassDef)
        for field, below in pairwise(definition.body):
            match field, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str() as text)):
                    texts[name] = inspect.cleandoc(text)
                case _:
                    pass
    return texts
