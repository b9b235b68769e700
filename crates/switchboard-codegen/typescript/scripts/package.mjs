// Packs the package, installs it in an empty project, and uses it there as applications do.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { largeProgram, largeRoute } from "./large-route.mjs";
import { COMPILERS, run, tsc } from "./steps.mjs";

// A time would depend on the machine. With this many the check takes well under two seconds on one that does nothing else.
const MAX_INSTANTIATIONS = 60_000;
const ENTRIES = ["switchboard-client", "switchboard-client/react", "switchboard-client/msgpack"];

const lock = readFileSync("package-lock.json", "utf8");
assert.ok(!lock.includes('"resolved"'), "package-lock.json names download addresses: see .npmrc");
const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
assert.equal(dependencies, undefined, "the package has no dependencies");

const project = mkdtempSync(join(tmpdir(), "switchboard-client-"));
try {
  const [packed] = JSON.parse(run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", project]));
  const names = packed.files.map(({ path }) => path);
  for (const name of ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "dist/esm/index.js", "dist/cjs/package.json"]) {
    assert.ok(names.includes(name), `${name} is not in the package`);
  }
  const odd = names.filter((name) => !/^(dist|LICENSE-|README\.md$|package\.json$)/.test(name));
  assert.deepEqual(odd, [], "files that do not belong into the package");

  const modules = join(project, "node_modules");
  mkdirSync(modules);
  run("tar", ["-xzf", join(project, packed.filename), "-C", modules]);
  cpSync(join(modules, "package"), join(modules, "switchboard-client"), { recursive: true });
  rmSync(join(modules, "package"), { recursive: true });
  for (const name of ["react", "@types"]) symlinkSync(resolve("node_modules", name), join(modules, name));

  // Both module systems run it.
  const use = (load) => `${ENTRIES.map((entry, i) => load(`m${i}`, entry)).join("\n")}
if (typeof m0.connect !== "function" || typeof m1.useTopic !== "function" || m2.msgpack.decode(m2.msgpack.encode({})) === undefined) process.exit(1);
`;
  writeFileSync(
    join(project, "run.mjs"),
    use((name, entry) => `import * as ${name} from "${entry}";`),
  );
  writeFileSync(
    join(project, "run.cjs"),
    use((name, entry) => `const ${name} = require("${entry}");`),
  );
  for (const file of ["run.mjs", "run.cjs"]) run(process.execPath, [file], { cwd: project });

  // And both find its types, with each compiler and each way to resolve.
  const chat = readFileSync("test/support/chat.ts", "utf8");
  const program = `import { connect } from "switchboard-client";
import { useConnection } from "switchboard-client/react";
import { msgpack } from "switchboard-client/msgpack";
import { chat } from "./chat.FILE";
const client = connect("/ws", chat, { codec: msgpack });
export const status = (): string => useConnection(client).status;
export const sum: Promise<{ result: number }> = client.request("ADD", { a: 1, b: 2 });
`;
  for (const [file, extension] of [
    ["mts", "mjs"],
    ["cts", "cjs"],
    ["ts", "js"],
  ]) {
    writeFileSync(join(project, `chat.${file}`), chat);
    writeFileSync(join(project, `program.${file}`), program.replace("FILE", extension));
  }
  writeFileSync(join(project, "large.ts"), largeRoute());
  writeFileSync(join(project, "large-program.ts"), largeProgram());
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  const options = ["--strict", "--noEmit", "--target", "es2022", "--lib", "es2022,dom", "--types", "react"];
  for (const compiler of COMPILERS.map((path) => resolve(path))) {
    const check = (args) => tsc(compiler, [...options, ...args], { cwd: project });
    // React's own types are for newer compilers than the oldest here.
    const skip = compiler.includes("typescript-5") ? ["--skipLibCheck"] : [];
    check([...skip, "--module", "nodenext", "--moduleResolution", "nodenext", "program.mts", "program.cts"]);
    check([...skip, "--module", "esnext", "--moduleResolution", "bundler", "program.ts"]);
    const bundler = ["--module", "esnext", "--moduleResolution", "bundler"];
    const report = check(["--skipLibCheck", ...bundler, "--extendedDiagnostics", "large-program.ts"]);
    const count = Number(/Instantiations:\s*(\d+)/.exec(report)?.[1]);
    assert.ok(count < MAX_INSTANTIATIONS, `a route of 300 messages makes the compiler work too hard\n${report}`);
    console.log(`a route of 300 messages: ${count} instantiations, ${/Check time:\s*(\S+)/.exec(report)?.[1]}`);
  }
} finally {
  rmSync(project, { recursive: true, force: true });
}
