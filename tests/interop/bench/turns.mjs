// The side of a peer in `cargo xtask bench-peers`; benches/src/measure.rs (`serve`) says what is asked and answered.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

/** Our credentials and keys, from the file that is named on the command line. */
export const material = JSON.parse(readFileSync(process.argv[2], "utf8"));

/** Shorter turns say too little. */
const TURN_NS = 400_000;

/** Time for the compiler to see what is hot. */
const WARM_UP_MS = 1_500;

/** That `verify` takes the genuine thing and refuses the other. */
export async function check(verify, { text, tampered }) {
  await verify(text);
  let refused = false;
  try {
    await verify(tampered);
  } catch {
    refused = true;
  }
  if (!refused) throw new Error("expected that what was tampered with is refused");
}

/** Answers with the turns of `works`, functions by id. */
export async function serve(name, works) {
  const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
  const runs = new Map();
  say({ ids: Object.keys(works) });
  for await (const line of createInterface({ input: process.stdin })) {
    const [id, milliseconds] = line.split(" ");
    const work = works[id];
    if (!runs.has(id)) {
      const warm = await turns(work, 1, WARM_UP_MS);
      runs.set(id, Math.max(1, Math.ceil(TURN_NS / Math.min(...warm))));
    }
    say({ [name]: await turns(work, runs.get(id), Number(milliseconds)) });
  }
}

/** Nanoseconds of one run in each turn that fits into the time, one turn at least. */
async function turns(work, runs, milliseconds) {
  const found = [];
  const end = performance.now() + milliseconds;
  do {
    const begin = process.hrtime.bigint();
    for (let run = 0; run < runs; run += 1) await work();
    found.push(Number(process.hrtime.bigint() - begin) / runs);
  } while (performance.now() < end);
  return found;
}
