"""The Python package jsonschema, with the questions of lib/serve.mjs.

validate  schema, instance -> (nothing more); the schema itself is checked first
"""

import json
import sys

from jsonschema import Draft202012Validator


def main():
    question = json.load(sys.stdin)
    Draft202012Validator.check_schema(question["schema"])
    validator = Draft202012Validator(question["schema"], format_checker=Draft202012Validator.FORMAT_CHECKER)
    errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(question["instance"])]
    answer = {"ok": False, "error": "; ".join(errors)} if errors else {"ok": True}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
