/** A validator that form libraries and others know: https://standardschema.dev */
export interface Validator<T> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: "switchboard";
    readonly validate: (value: unknown) => Result<T>;
    readonly types?: { readonly input: T; readonly output: T } | undefined;
  };
}

export type Result<T> = { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly Issue[] };

export interface Issue {
  readonly message: string;
  readonly path: readonly (string | number)[];
}

/** An issue as the client's option `validate` reports it. */
export interface MessageIssue {
  /** The field's name on the wire, such as `items[2].name`; empty for the payload itself. */
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** The part of JSON Schema that the contract has. */
interface Schema {
  readonly ref?: () => Schema;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly properties?: { readonly [name: string]: Schema };
  readonly required?: readonly string[];
  readonly others?: Schema | false;
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

/** The schemas of payloads by message type, of what a client sends and of what it gets. */
interface Messages {
  readonly send: { readonly [type: string]: Schema };
  readonly receive: { readonly [type: string]: Schema };
}

type Path = readonly (string | number)[];

function validator<T>(schema: () => Schema): Validator<T> {
  const validate = (value: unknown): Result<T> => {
    const issues = check(schema(), value, []);
    return issues.length > 0 ? { issues } : { value: value as T };
  };
  return { "~standard": { version: 1, vendor: "switchboard", validate } };
}

/** Types that the contract does not know are not checked. */
function checkMessage(schemas: Messages["send"], type: string, payload: unknown): MessageIssue[] | undefined {
  const schema = has(schemas, type) ? schemas[type] : undefined;
  const issues = schema ? check(schema, payload, []) : [];
  return issues.length > 0 ? issues.map(({ message, path }) => ({ path: joined(path), code: "schema", message })) : undefined;
}

function joined(path: Path): string {
  return path.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`)).join("").replace(/^\./, "");
}

function has(object: object, name: string): boolean {
  return Object.prototype.hasOwnProperty.call(object, name);
}

function check(schema: Schema, value: unknown, path: Path): Issue[] {
  const issue = (message: string): Issue[] => [{ message, path }];
  const issues: Issue[] = [];
  if (schema.ref) issues.push(...check(schema.ref(), value, path));
  if ("const" in schema && value !== schema.const) return issue(`must be ${JSON.stringify(schema.const)}`);
  if (schema.enum && !schema.enum.includes(value)) {
    return issue(`must be one of ${schema.enum.map((one) => JSON.stringify(one)).join(", ")}`);
  }
  if (schema.type !== undefined) {
    const types = typeof schema.type === "string" ? [schema.type] : schema.type;
    if (!types.some((type) => isOf(type, value))) return issue(`must be of type ${types.join(" or ")}`);
  }
  if (schema.anyOf) {
    const all = schema.anyOf.map((variant) => check(variant, value, path));
    if (all.every((found) => found.length > 0)) issues.push(...closest(all, path));
  }
  for (const part of schema.allOf ?? []) issues.push(...check(part, value, path));
  if (typeof value === "number") issues.push(...checkNumber(schema, value).flatMap(issue));
  else if (typeof value === "string") issues.push(...checkText(schema, value).flatMap(issue));
  else if (Array.isArray(value)) issues.push(...checkList(schema, value, path));
  else if (typeof value === "object" && value !== null) issues.push(...checkObject(schema, value, path));
  return issues;
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "number":
      return Number.isFinite(value);
    default:
      return typeof value === type;
  }
}

/** The issues of the variant that fits best: the one whose first issue lies deepest. */
function closest(all: Issue[][], path: Path): Issue[] {
  const depth = (issues: Issue[]): number => Math.min(...issues.map((issue) => issue.path.length));
  const best = [...all].sort((a, b) => depth(b) - depth(a))[0] ?? [];
  return depth(best) > path.length ? best : [{ message: "fits none of the variants", path }];
}

function checkNumber(schema: Schema, value: number): string[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const found: string[] = [];
  if (minimum !== undefined && value < minimum) found.push(`must be at least ${minimum}`);
  if (maximum !== undefined && value > maximum) found.push(`must be at most ${maximum}`);
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) found.push(`must be more than ${exclusiveMinimum}`);
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum) found.push(`must be less than ${exclusiveMaximum}`);
  return found;
}

function checkText(schema: Schema, value: string): string[] {
  const { minLength, maxLength, pattern } = schema;
  const found: string[] = [];
  const length = [...value].length;
  if (minLength !== undefined && length < minLength) found.push(`must have at least ${minLength} characters`);
  if (maxLength !== undefined && length > maxLength) found.push(`must have at most ${maxLength} characters`);
  if (pattern !== undefined && !matches(pattern, value)) found.push("has the wrong form");
  return found;
}

/** An expression that only the server knows is left to it. */
function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true;
  }
}

function checkList(schema: Schema, value: readonly unknown[], path: Path): Issue[] {
  const { minItems, maxItems, items, prefixItems } = schema;
  const issues: Issue[] = [];
  if (minItems !== undefined && value.length < minItems) issues.push({ message: `must have at least ${minItems} items`, path });
  if (maxItems !== undefined && value.length > maxItems) issues.push({ message: `must have at most ${maxItems} items`, path });
  value.forEach((item, index) => {
    const schema = prefixItems?.[index] ?? items;
    if (schema) issues.push(...check(schema, item, [...path, index]));
  });
  return issues;
}

function checkObject(schema: Schema, value: object, path: Path): Issue[] {
  const { properties, required, others } = schema;
  const issues: Issue[] = [];
  for (const name of required ?? []) {
    if (!has(value, name) || (value as { [name: string]: unknown })[name] === undefined) {
      issues.push({ message: "is required", path: [...path, name] });
    }
  }
  for (const [name, property] of Object.entries(value)) {
    if (property === undefined) continue;
    const known = properties && has(properties, name) ? properties[name] : others;
    if (known) issues.push(...check(known, property, [...path, name]));
    else if (known === false) issues.push({ message: "is not known", path: [...path, name] });
  }
  return issues;
}
