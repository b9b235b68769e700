// What the tests use of `node:test`, in a page.

type Run = (context: Context) => unknown;

interface Context {
  after(run: () => unknown): void;
}

const tests: { name: string; run: Run }[] = [];
const first: (() => unknown)[] = [];
const last: (() => unknown)[] = [];

export function test(name: string, ...args: [Run] | [options: object, run: Run]): void {
  tests.push({ name, run: args[args.length - 1] as Run });
}

export const before = (run: () => unknown): void => void first.push(run);
export const after = (run: () => unknown): void => void last.push(run);

/** The name of each test with its error, or with nothing. */
export type Results = [name: string, error: string][];

/** Runs all tests in order. */
export async function runAll(): Promise<Results> {
  const results: Results = [];
  for (const run of first) await run();
  for (const { name, run } of tests) {
    const ends: (() => unknown)[] = [];
    let error = "";
    try {
      await run({ after: (end) => void ends.push(end) });
    } catch (cause) {
      error = cause instanceof Error ? `${cause.message}\n${cause.stack}` : String(cause);
    }
    for (const end of ends) await end();
    results.push([name, error]);
  }
  for (const run of last) await run();
  return results;
}
