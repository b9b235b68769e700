// All tests, in order. Stops at the first step that fails.
import { run, COMPILERS, tsc } from "./steps.mjs";

const node = (...args) => run(process.execPath, args, { stdio: "inherit" });

const steps = {
  types: () => {
    for (const compiler of COMPILERS) tsc(compiler, ["-p", "tsconfig.test.json"]);
  },
  // The pages of the examples, by the types beside their generated clients.
  pages: () => {
    for (const compiler of COMPILERS) tsc(compiler, ["-p", "tsconfig.pages.json"]);
  },
  sizes: () => node("scripts/sizes.mjs"),
  package: () => {
    node("scripts/build.mjs");
    node("scripts/standalone.mjs");
    node("scripts/package.mjs");
  },
  unit: () => node("scripts/unit.mjs", "unit", "model", "msgpack", "react"),
  server: () => {
    if (!process.env.SWITCHBOARD_CONFORMANCE) {
      throw new Error(
        "SWITCHBOARD_CONFORMANCE is not set. It is the path of the server that the client is tested against:\n" +
          "  cargo build --package switchboard-tests --bin conformance-server\n" +
          "  SWITCHBOARD_CONFORMANCE=../../../target/debug/conformance-server npm test",
      );
    }
    node("scripts/unit.mjs", "server");
  },
};

const chosen = process.argv.slice(2);
try {
  for (const name of chosen.length > 0 ? chosen : Object.keys(steps)) {
    console.log(`== ${name}`);
    if (!steps[name]) throw new Error(`no step ${name}, but ${Object.keys(steps).join(", ")}`);
    steps[name]();
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
