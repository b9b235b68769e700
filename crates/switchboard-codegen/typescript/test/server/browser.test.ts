import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect as dial } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { Conformance } from "../support/conformance.js";

/** The names under which Chromium is installed. */
const NAMES = [process.env["CHROMIUM"] ?? "chromium", "chromium-browser", "google-chrome"];

/** What the page found out: see `page.ts`. */
interface Report {
  readonly [name: string]: unknown;
}

test("the client runs in Chromium", { timeout: 60_000 }, async (context) => {
  const server = await Conformance.start();
  context.after(() => server.stop());
  const { outputFiles } = await build({
    entryPoints: ["test/server/page.ts"],
    bundle: true,
    format: "iife",
    write: false,
    alias: { "switchboard-client/msgpack": "./src/msgpack/index.ts", "switchboard-client": "./src/index.ts" },
  });
  const html = `<!doctype html><meta charset="utf-8"><script>${outputFiles[0]?.text.replaceAll("</script", "<\\/script")}</script>`;

  // The page and the sockets have one origin, as the server wants it.
  let finish = (_: Report): void => {};
  const finished = new Promise<Report>((resolve) => (finish = resolve));
  const site = createServer((request, response) => {
    if (request.method === "GET") response.setHeader("content-type", "text/html").end(html);
    else {
      let body = "";
      request.on("data", (chunk) => (body += chunk));
      request.on("end", () => {
        response.end();
        finish(JSON.parse(body) as Report);
      });
    }
  });
  site.on("upgrade", (request, near, head) => {
    const far = dial(Number(new URL(server.url()).port), "127.0.0.1");
    const headers = request.rawHeaders.map((text, i) => text + (i % 2 === 0 ? ": " : "\r\n")).join("");
    far.write(`GET ${request.url} HTTP/1.1\r\n${headers}\r\n`);
    far.write(head);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on("error", () => {}).on("close", () => (near.destroy(), far.destroy()));
  });
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  context.after(() => {
    site.close();
    site.closeAllConnections();
  });

  const profile = mkdtempSync(join(tmpdir(), "switchboard-browser-"));
  const address = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`;
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", `--user-data-dir=${profile}`, address];
  const browser = await start(flags);
  context.after(async () => {
    const ended = once(browser, "exit");
    browser.kill("SIGKILL");
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
  });
  assert.deepEqual(await finished, {
    dialect: "extended",
    sum: { result: 3 },
    packed: { result: 3 },
    user: "alice",
    queried: "alice",
    plain: { result: 3 },
    refused: [4401, true],
    kicked: [4503, true],
    planned: "open",
  });
});

async function start(flags: string[]): Promise<ReturnType<typeof spawn>> {
  for (const name of NAMES) {
    const browser = spawn(name, flags, { stdio: "ignore" });
    const [error] = (await Promise.race([once(browser, "spawn"), once(browser, "error")])) as [Error?];
    if (!error) return browser;
  }
  throw new Error("no Chromium: install it, or set CHROMIUM to its path");
}
