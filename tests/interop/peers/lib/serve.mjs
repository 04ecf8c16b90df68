// One question, one answer: a peer reads a JSON object from standard input and writes one to standard
// output. `do` names what is asked; the answer has `ok: true` and the result, or `ok: false` and why the
// peer refused. An array of questions gets an array of answers. A crash of the peer itself is an exit code,
// never an answer.

import { readFileSync } from "node:fs";

/** Answers what is on standard input with `commands`. */
export async function serve(commands) {
  const input = JSON.parse(readFileSync(0, "utf8"));
  const answers = [];
  for (const question of Array.isArray(input) ? input : [input]) answers.push(await answer(commands, question));
  process.stdout.write(`${JSON.stringify(Array.isArray(input) ? answers : answers[0])}\n`);
}

async function answer(commands, question) {
  const command = Object.hasOwn(commands, question.do) ? commands[question.do] : undefined;
  if (command === undefined) {
    throw new Error(`expected one of ${Object.keys(commands).join(", ")} in "do", found ${question.do}`);
  }
  try {
    return { ok: true, ...(await command(question)) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { ok: false, error: describe(error) };
  }
}

/** An error with its causes, since libraries hide the telling one inside. */
function describe(error) {
  const parts = [];
  for (let at = error; at instanceof Error && parts.length < 5; at = at.cause) parts.push(at.message);
  for (const inner of error.errors ?? []) parts.push(describe(inner));
  return parts.join(": ");
}
