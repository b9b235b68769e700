import { readdirSync } from "node:fs";

/** The test files of a folder. */
export function globSync(folder) {
  return readdirSync(folder)
    .filter((name) => /\.test\.tsx?$/.test(name))
    .sort()
    .map((name) => `${folder}/${name}`);
}
