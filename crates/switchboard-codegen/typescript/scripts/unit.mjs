// Bundles the tests in the given folders of `test`, and runs them by Node's own test runner.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { globSync } from "./glob.mjs";

const folders = process.argv.slice(2);
const tests = folders.flatMap((folder) => globSync(`test/${folder}`));

await build({
  entryPoints: tests,
  outdir: ".test",
  outbase: "test",
  bundle: true,
  // Shared files, so that classes of the client are the same everywhere.
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  jsx: "automatic",
  packages: "external",
  sourcemap: "inline",
  // Tests run the sources: the package's own name must not lead to `dist`.
  alias: {
    "switchboard-client": "./src/index.ts",
    "switchboard-client/msgpack": "./src/msgpack/index.ts",
    "switchboard-client/react": "./src/react/index.ts",
  },
  outExtension: { ".js": ".mjs" },
  logLevel: "warning",
});

const built = tests.map((test) => test.replace(/^test\//, ".test/").replace(/\.tsx?$/, ".mjs"));
const { status } = spawnSync(process.execPath, ["--enable-source-maps", "--test", "--test-timeout=120000", ...built], {
  stdio: "inherit",
});
process.exitCode = status ?? 1;
