// What the tests use of `node:assert/strict`, in a page.

function fail(message: string): never {
  throw new Error(message);
}

const shown = (value: unknown): string => (value instanceof Error ? String(value) : (JSON.stringify(value) ?? "undefined"));

function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || !a || !b) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))];
  return left.length === right.size && left.every(([key, value]) => right.has(key) && isSame(value, right.get(key)));
}

const assert = {
  ok(value: unknown, message = "it is not true"): void {
    if (!value) fail(message);
  },
  equal(actual: unknown, expected: unknown): void {
    if (!Object.is(actual, expected)) fail(`${shown(actual)} is not ${shown(expected)}`);
  },
  deepEqual(actual: unknown, expected: unknown): void {
    if (!isSame(actual, expected)) fail(`${shown(actual)} is not ${shown(expected)}`);
  },
  match(text: string, pattern: RegExp): void {
    if (!pattern.test(text)) fail(`${text} does not match ${pattern}`);
  },
  /** `expected` is a class or a function that tells. */
  async rejects(promise: Promise<unknown>, expected: Function): Promise<void> {
    const error = await promise.then(
      () => fail("it does not reject"),
      (error: unknown) => error,
    );
    const isClass = expected.prototype instanceof Error;
    if (!(isClass ? error instanceof (expected as new () => Error) : expected(error))) fail(`not the error: ${shown(error)}`);
  },
};

export default assert;
