import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { build } from "esbuild";
import { Conformance } from "../support/conformance.js";

/** How long a program may take, which includes that nothing keeps it running after `close()`. */
const PATIENCE = 30_000;

for (const [name, args] of [
  ["deno", ["run", "--no-config", "--no-lock", "--allow-net=127.0.0.1"]],
  ["bun", ["run"]],
] as const) {
  test(`the client runs in ${name}`, { timeout: 60_000 }, async (context) => {
    const server = await Conformance.start();
    context.after(() => server.stop());
    const folder = mkdtempSync(join(tmpdir(), "switchboard-runtime-"));
    context.after(() => rmSync(folder, { recursive: true, force: true }));
    const outfile = join(folder, "smoke.mjs");
    await build({
      entryPoints: ["test/browser/smoke.ts"],
      outfile,
      bundle: true,
      format: "esm",
      banner: { js: 'import process from "node:process";' },
      alias: { "switchboard-client": "./src/index.ts" },
    });
    // Neither asks its maker for a newer version.
    const env = { ...process.env, DENO_NO_UPDATE_CHECK: "1", DO_NOT_TRACK: "1" };
    const { stdout } = await promisify(execFile)(program(name), [...args, outfile, server.url()], { timeout: PATIENCE, env });
    assert.deepEqual(JSON.parse(stdout), { sum: { result: 3 }, steps: [1, 2, 3], text: "hello", status: "closed" });
  });
}

/** The program in the package of this name for this platform. The package's own script needs an installation step. */
function program(name: "deno" | "bun"): string {
  const { platform, arch } = process;
  return name === "deno"
    ? `node_modules/@deno/${platform}-${arch}${platform === "linux" ? "-glibc" : ""}/deno`
    : `node_modules/@oven/bun-${platform}-${arch === "arm64" ? "aarch64" : arch}/bin/bun`;
}
