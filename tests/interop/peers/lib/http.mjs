// A GET or POST on a connection of its own. `fetch` keeps connections and may pick one that the platform has closed
// while this process was waiting for a command, and then fails.

import http from "node:http";

/** The body of the answer as text, whatever its status. */
export async function getText(url, headers = {}) {
  return (await getBytes(url, headers)).toString("utf8");
}

/** The body of the answer, whatever its status. */
export function getBytes(url, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false, headers }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve(Buffer.concat(chunks)));
      response.on("error", reject);
    });
    request.on("error", reject);
  });
}

/** The status and the JSON of the answer to a POST of JSON. */
export function post(url, question) {
  return new Promise((resolve, reject) => {
    const text = JSON.stringify(question);
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
    const request = http.request(url, { agent: false, method: "POST", headers }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString("utf8")) }));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(text);
  });
}
