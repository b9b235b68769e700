// Builds the client as one ES module with one file of types, which the generator puts beside generated files.
// Fails if the files in the repository differ; `UPDATE_CLIENTS=1` writes them instead.
import { transform } from "esbuild";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const FOLDER = "../src/typescript/standalone";
const HEADER = `// The TypeScript client of Switchboard, written by its generator. Do not edit.
/* eslint-disable */
`;

/** An import or an export of names of another file. */
const TIES = /^(?:import|export)(?: type)? (\*|\{[^}]*\}) from "([^"]+)";\n/gm;

/** The files that a file of types refers to, before it. Each declares names that no other one has. */
function inOrder(file, found = new Map()) {
  if (found.has(file)) return found;
  const text = readFileSync(file, "utf8");
  // Reserves the place against files that refer to each other.
  found.set(file, "");
  for (const [, , path] of text.matchAll(TIES)) inOrder(join(dirname(file), path.replace(/\.js$/, ".d.ts")), found);
  found.delete(file);
  return found.set(file, text);
}

const namesIn = (text) =>
  [...text.matchAll(/^export (?:declare )?(?:interface|type|class|function|const) (\w+)/gm)].map(([, name]) => name);

function types() {
  const index = "dist/esm/index.d.ts";
  const files = inOrder(index);
  const declared = new Set();
  let text = "";
  for (const [file, content] of files) {
    if (file === index) continue;
    for (const name of namesIn(content)) {
      if (declared.has(name)) throw new Error(`two files of the client declare ${name}: rename one`);
      declared.add(name);
    }
    // What is not exported at the end belongs to the module alone.
    text += content.replace(TIES, "").replace(/^export (?:declare )?(?=class|function|const)/gm, "declare ");
  }
  text = text.replace(/^export (?=interface|type)/gm, "");
  const exported = [...readFileSync(index, "utf8").matchAll(TIES)].map(([tie, names, path]) => {
    const isAll = names === "*";
    const all = isAll ? namesIn(files.get(join(dirname(index), path.replace(/\.js$/, ".d.ts")))) : [];
    return `export ${tie.startsWith("export type") ? "type " : ""}${isAll ? `{ ${all.join(", ")} }` : names};\n`;
  });
  return text + exported.join("");
}

async function validators() {
  const source = readFileSync("../src/typescript/validators.ts", "utf8");
  // Nothing in the file calls its functions: what is generated does.
  return (await transform(source, { loader: "ts", format: "esm", target: "es2022" })).code;
}

const built = {
  "switchboard-client.js": HEADER + readFileSync("dist/esm/index.js", "utf8"),
  "switchboard-client.d.ts": HEADER + types(),
  // A part of the files of validators.
  "validators.js": await validators(),
};
let isStale = false;
for (const [name, text] of Object.entries(built)) {
  const path = join(FOLDER, name);
  if (process.env.UPDATE_CLIENTS === "1") {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(path, text);
    continue;
  }
  let found;
  try {
    found = readFileSync(path, "utf8");
  } catch {
    found = "";
  }
  if (found !== text) {
    console.error(`${path} differs from the client's sources; run with UPDATE_CLIENTS=1 to write it`);
    isStale = true;
  }
}
if (isStale) process.exitCode = 1;
