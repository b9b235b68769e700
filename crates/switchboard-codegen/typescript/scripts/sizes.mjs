// Checks that each entry, minified and compressed, stays within its budget.
import { build } from "esbuild";
import { gzipSync } from "node:zlib";

const BUDGETS = { "index.ts": 8 * 1024, "react/index.ts": 1.5 * 1024, "msgpack/index.ts": 2 * 1024 };

let isOver = false;
for (const [entry, budget] of Object.entries(BUDGETS)) {
  const { outputFiles } = await build({
    entryPoints: [`src/${entry}`],
    bundle: true,
    minify: true,
    external: ["switchboard-client", "react"],
    format: "esm",
    target: "es2022",
    platform: "neutral",
    tsconfigRaw: {},
    write: false,
  });
  const size = gzipSync(outputFiles[0].contents, { level: 9 }).length;
  console.log(`${entry}: ${size} of ${budget} bytes`);
  isOver ||= size > budget;
}
if (isOver) {
  console.error("an entry is larger than its budget");
  process.exitCode = 1;
}
