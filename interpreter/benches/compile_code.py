"""The compiler: source to code and to trees, trees changed and unparsed, code stored and loaded; of files beside this one."""
# native: _ast
import ast
import inspect
import marshal
import os
import textwrap

FOLDER = os.path.dirname(os.path.abspath(__file__))
FILES = ("kernel.py", "constraints.py", "go_board.py", "templates.py", "hand_parser.py", "closures.py", "data_model.py", "formatting.py")


class Constants(ast.NodeTransformer):
    changed = 0

    def visit_Constant(self, node):
        if isinstance(node.value, int) and not isinstance(node.value, bool):
            self.changed += 1
            return ast.copy_location(ast.Constant(node.value + 1), node)
        return node


def main(rounds):
    sources = []
    for name in FILES:
        with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
            sources.append(file.read())
    for _ in range(rounds):
        nodes = changed = functions = 0
        for name, source in zip(FILES, sources):
            code = compile(source, name, "exec")
            functions += sum(inspect.iscode(constant) for constant in marshal.loads(marshal.dumps(code)).co_consts)
            tree = ast.parse(source)
            nodes += sum(1 for _ in ast.walk(tree))
        transformer = Constants()
        tree = ast.fix_missing_locations(transformer.visit(ast.parse(sources[1])))
        text = ast.unparse(tree)
        compile(tree, FILES[1], "exec")
        evaluated = sum(eval(compile(f"{i} * (x + {i % 7}) - len('{i}')", "<e>", "eval"), {"x": i}) for i in range(300))
    namespace = {}
    exec(textwrap.dedent("    def made(n):\n        return [i ** 2 for i in range(n)]\n"), namespace)
    return nodes, transformer.changed, len(text), functions > 50, evaluated, sum(namespace["made"](10))


print(main(8))
