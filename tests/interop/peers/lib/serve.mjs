// One question, one answer: a peer reads a JSON object from standard input and writes one to standard
// output. `do` names what is asked; the answer has `ok: true` and the result, or `ok: false` and why the
// peer refused. A crash of the peer itself is an exit code, never an answer.

import { readFileSync } from "node:fs";

/** Answers the question on standard input with one of `commands`. */
export async function serve(commands) {
  const question = JSON.parse(readFileSync(0, "utf8"));
  const command = Object.hasOwn(commands, question.do) ? commands[question.do] : undefined;
  if (command === undefined) {
    throw new Error(`expected one of ${Object.keys(commands).join(", ")} in "do", found ${question.do}`);
  }
  let answer;
  try {
    answer = { ok: true, ...(await command(question)) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    answer = { ok: false, error: describe(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

/** An error with its causes, since libraries hide the telling one inside. */
function describe(error) {
  const parts = [];
  for (let at = error; at instanceof Error && parts.length < 5; at = at.cause) parts.push(at.message);
  for (const inner of error.errors ?? []) parts.push(describe(inner));
  return parts.join(": ");
}
