import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Site } from "../browser/site.js";

/** The names under which Chromium is installed. */
const NAMES = [process.env["CHROMIUM"] ?? "chromium", "chromium-browser", "google-chrome"];

/** As many as the files that the page imports have, so that none is left out unnoticed. */
const MIN_TESTS = 20;

test("all tests against the server pass in Chromium, too", { timeout: 115_000 }, async (context) => {
  const site = await Site.start();
  context.after(() => site.stop());
  const profile = mkdtempSync(join(tmpdir(), "switchboard-browser-"));
  const flags = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--no-first-run",
    `--user-data-dir=${profile}`,
    site.address,
  ];
  const browser = await start(flags);
  context.after(async () => {
    const ended = once(browser, "exit");
    browser.kill("SIGKILL");
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
  });
  const results = await site.finished;
  assert.deepEqual(
    results.filter(([, error]) => error !== ""),
    [],
  );
  assert.ok(results.length >= MIN_TESTS, `only ${results.length} tests ran`);
});

async function start(flags: string[]): Promise<ReturnType<typeof spawn>> {
  for (const name of NAMES) {
    const browser = spawn(name, flags, { stdio: "ignore" });
    const [error] = (await Promise.race([once(browser, "spawn"), once(browser, "error")])) as [Error?];
    if (!error) return browser;
  }
  throw new Error("no Chromium: install it, or set CHROMIUM to its path");
}
