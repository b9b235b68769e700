import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { connect as dial } from "node:net";
import { build } from "esbuild";
import { Conformance } from "../support/conformance.js";
import type { Results } from "./node-test.js";

/** A site with the tests and the conformance server under one origin, as the server wants it. */
export class Site {
  readonly #server: Conformance;
  readonly #http: Server;
  readonly #page: string;
  #finish: (results: Results) => void = () => {};
  readonly finished = new Promise<Results>((resolve) => (this.#finish = resolve));

  static async start(): Promise<Site> {
    const site = new Site(await Conformance.start(), await page());
    site.#http.listen(0, "127.0.0.1");
    await once(site.#http, "listening");
    return site;
  }

  private constructor(server: Conformance, page: string) {
    this.#server = server;
    this.#page = page;
    this.#http = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.writeHead(502).end(String(error)));
    });
    this.#http.on("upgrade", (request, near, head) => {
      const far = dial(this.#port, "127.0.0.1");
      const headers = request.rawHeaders.map((text, i) => text + (i % 2 === 0 ? ": " : "\r\n")).join("");
      far.write(`GET ${request.url} HTTP/1.1\r\n${headers}\r\n`);
      far.write(head);
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) socket.on("error", () => {}).on("close", () => (near.destroy(), far.destroy()));
    });
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    this.#http.close();
    this.#http.closeAllConnections();
    await this.#server.stop();
  }

  get #port(): number {
    return Number(new URL(this.#server.url()).port);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { url = "/", method = "GET" } = request;
    if (url === "/") return void response.setHeader("content-type", "text/html").end(this.#page);
    const order = /^\/order\/(\w+)$/.exec(url)?.[1];
    if (order) {
      if (order === "finish") this.#finish(JSON.parse(body) as Results);
      else await this.#order(order);
      return void response.end();
    }
    const init = { method, ...(method === "POST" && { body, headers: { "content-type": "application/json" } }) };
    const answer = await fetch(this.#server.url(url).replace("ws:", "http:"), init);
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "text/plain" });
    response.end(await answer.text());
  }

  async #order(name: string): Promise<void> {
    if (name === "kill") await this.#server.kill();
    else if (name === "drain") await this.#server.drain();
    else if (!this.#server.isRunning) await this.#server.run();
  }
}

/** The page, with the tests bundled for it. */
async function page(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: ["test/browser/suite.ts"],
    bundle: true,
    // `sideEffects: false` in package.json is about the package, not about its tests.
    ignoreAnnotations: true,
    format: "iife",
    write: false,
    alias: {
      "node:assert/strict": "./test/browser/assert.ts",
      "node:test": "./test/browser/node-test.ts",
      "switchboard-client": "./src/index.ts",
      "switchboard-client/msgpack": "./src/msgpack/index.ts",
      ws: "./test/browser/ws.ts",
    },
    plugins: [
      {
        name: "conformance",
        setup: ({ onResolve }) =>
          onResolve({ filter: /\/support\/conformance\.js$/ }, () => ({
            path: `${process.cwd()}/test/browser/conformance.ts`,
          })),
      },
    ],
  });
  const script = outputFiles[0]?.text.replaceAll("</script", "<\\/script");
  return `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script>${script}</script>`;
}
