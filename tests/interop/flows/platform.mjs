// A running platform in a folder of its own, and the commands that a person types against it.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { publicKey } from "../peers/lib/did.mjs";
import { getText } from "../peers/lib/http.mjs";

const BINARY = process.env.ATTESTRY_BIN ?? fileURLToPath(new URL("../../../target/debug/attestry", import.meta.url));
const READY_WITHIN_MS = 60_000;
const STOPPED_WITHIN_MS = 20_000;
const COMMAND_WITHIN_MS = 30_000;

/** A port that was free a moment ago. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

export class Platform {
  #process;
  #environment;

  /**
   * Starts the platform with the sample nation on a free port, and waits until it answers. Under a public URL it goes by
   * that, as behind a proxy; `address` is where it is.
   */
  static async start(publicUrl) {
    const platform = new Platform();
    platform.folder = mkdtempSync(join(tmpdir(), "attestry-interop-"));
    // Nothing of the person who runs the tests gets in.
    platform.#environment = {
      PATH: process.env.PATH,
      HOME: platform.folder,
      ATTESTRY_HOME: platform.file("home"),
      ATTESTRY_DATA: platform.file("data"),
      ATTESTRY_PASSPHRASE: "interop",
    };
    try {
      await platform.#begin(publicUrl);
    } catch (error) {
      platform.#process?.kill("SIGKILL");
      throw error;
    }
    platform.#environment.ATTESTRY_URL = platform.url;
    return platform;
  }

  async #begin(publicUrl) {
    const log = openSync(this.file("log"), "w");
    const listen = `127.0.0.1:${publicUrl === undefined ? 0 : await freePort()}`;
    const called = publicUrl === undefined ? [] : ["--public-url", publicUrl];
    this.#process = spawn(BINARY, ["up", "--sample", "--listen", listen, ...called, "--json"], {
      env: this.#environment,
      stdio: ["ignore", "pipe", log],
    });
    this.url = await new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`${why}\n${readFileSync(this.file("log"), "utf8")}`));
      const late = setTimeout(() => fail(`expected the platform ready within ${READY_WITHIN_MS} ms`), READY_WITHIN_MS);
      late.unref();
      this.#process.once("error", (error) => fail(`${BINARY} does not run: ${error.message}`));
      this.#process.once("exit", (code) => fail(`expected a running platform, found its end with ${code}`));
      this.#process.stdout.setEncoding("utf8").once("data", (line) => {
        clearTimeout(late);
        this.#process.removeAllListeners("exit");
        resolve(JSON.parse(line).ready);
      });
    });
    this.address = publicUrl === undefined ? this.url : `http://${listen}`;
  }

  /** Ends the platform as an operator does, and checks that it ends well. */
  async stop() {
    const ended = new Promise((resolve) => this.#process.once("exit", (code, signal) => resolve(signal ?? code)));
    this.#process.kill("SIGTERM");
    const late = setTimeout(() => this.#process.kill("SIGKILL"), STOPPED_WITHIN_MS);
    const how = await ended;
    clearTimeout(late);
    const log = readFileSync(this.file("log"), "utf8");
    assert.equal(how, 0, `expected exit status 0 after SIGTERM, found ${how}\n${log}`);
    rmSync(this.folder, { recursive: true });
  }

  /** A path in the platform's folder. */
  file(name) {
    return join(this.folder, name);
  }

  /** What a command that succeeds prints with --json. */
  run(...command) {
    const result = spawnSync(BINARY, [...command, "--json"], {
      env: this.#environment,
      encoding: "utf8",
      timeout: COMMAND_WITHIN_MS,
    });
    if (result.error) throw result.error;
    assert.equal(result.status, 0, `expected success of ${command.join(" ")}, found ${result.status}: ${result.stderr}`);
    return JSON.parse(result.stdout);
  }

  /** An offer for a person of the sample: its URI. */
  offer({ agency = "population", type = "PersonIdentity", subject, format = "dc+sd-jwt" }, ...options) {
    const what = ["--agency", agency, "--type", type, "--subject", subject, "--format", format];
    return this.run("offer", "create", ...what, ...options).offer;
  }

  /** A new request of the platform's verifier: its URI and id. */
  request(query, ...options) {
    return this.run("verifier", "request", "--query", query, ...options);
  }

  /** The verifier's verdict on the answer to a request. */
  verdict(id) {
    const { state, verdict } = this.run("verifier", "result", id);
    assert.equal(state, "answered");
    return verdict;
  }

  /** The public JWK of an issuer's key, resolved by the registry. */
  key(didUrl) {
    return publicKey(didUrl, this.url);
  }

  /** The formats that an agency's metadata offers for a type. */
  async formats(agency, type) {
    const metadata = await getText(`${this.url}/.well-known/openid-credential-issuer/issuers/${agency}`);
    const { credential_configurations_supported: configurations } = JSON.parse(metadata);
    const ofType = Object.entries(configurations).filter(([id]) => id.startsWith(`${type}.`));
    // A format has a configuration for each way to secure it.
    return [...new Set(ofType.map(([, { format }]) => format))].sort();
  }
}
