// Writes `dist`: each entry as one ES module and one CommonJS module, with their types.
import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);
rmSync("dist", { recursive: true, force: true });

for (const format of ["esm", "cjs"]) {
  await build({
    entryPoints: ["src/index.ts", "src/react/index.ts", "src/msgpack/index.ts"],
    outdir: `dist/${format}`,
    bundle: true,
    // A bundle that has a copy of the core, or of React, would have two of them.
    external: ["switchboard-client", "react"],
    format,
    target: "es2022",
    platform: "neutral",
    // The path of the same name in tsconfig.json is for the compiler.
    tsconfigRaw: {},
  });
}

execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json", "--emitDeclarationOnly"], {
  stdio: "inherit",
});
cpSync("dist/esm", "dist/cjs", { recursive: true, filter: (source) => !source.endsWith(".js") });
writeFileSync("dist/cjs/package.json", '{ "type": "commonjs" }\n');
