import { spawnSync } from "node:child_process";

/** Runs a program to its end. Fails with its output. */
export function run(program, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8", ...options });
  if (status === 0) return stdout ?? "";
  throw new Error(`${program} ${args.join(" ")} failed\n${stdout ?? ""}${stderr ?? ""}${error ?? ""}`);
}

/** The oldest compiler that the package is for, and the newest. */
export const COMPILERS = ["node_modules/typescript-5/bin/tsc", "node_modules/typescript/bin/tsc"];

export const tsc = (compiler, args, options) => run(process.execPath, [compiler, ...args], options);
