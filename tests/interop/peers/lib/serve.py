"""One question, one answer, as serve.mjs has it: `commands` has a function for each `do`."""

import json
import sys


def serve(commands):
    asked = json.load(sys.stdin)
    if isinstance(asked, list):
        answers = [answer(commands, question) for question in asked]
    else:
        answers = answer(commands, asked)
    json.dump(answers, sys.stdout)


def answer(commands, question):
    command = commands[question["do"]]
    try:
        return {"ok": True, **command(question)}
    except Exception as error:  # The packages raise whatever their own dependencies raise.
        return {"ok": False, "error": f"{type(error).__name__}: {error}"}
