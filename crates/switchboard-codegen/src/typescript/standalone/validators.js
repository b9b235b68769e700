function validator(schema) {
  const validate = (value) => {
    const issues = check(schema(), value, []);
    return issues.length > 0 ? { issues } : { value };
  };
  return { "~standard": { version: 1, vendor: "switchboard", validate } };
}
function checkMessage(schemas, type, payload) {
  const schema = has(schemas, type) ? schemas[type] : void 0;
  const issues = schema ? check(schema, payload, []) : [];
  return issues.length > 0 ? issues.map(({ message, path }) => ({ path: joined(path), code: "schema", message })) : void 0;
}
function joined(path) {
  return path.map((part) => typeof part === "number" ? `[${part}]` : `.${part}`).join("").replace(/^\./, "");
}
function has(object, name) {
  return Object.prototype.hasOwnProperty.call(object, name);
}
function check(schema, value, path) {
  const issue = (message) => [{ message, path }];
  const issues = [];
  if (schema.ref) issues.push(...check(schema.ref(), value, path));
  if ("const" in schema && value !== schema.const) return issue(`must be ${JSON.stringify(schema.const)}`);
  if (schema.enum && !schema.enum.includes(value)) {
    return issue(`must be one of ${schema.enum.map((one) => JSON.stringify(one)).join(", ")}`);
  }
  if (schema.type !== void 0) {
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
function isOf(type, value) {
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
function closest(all, path) {
  const depth = (issues) => Math.min(...issues.map((issue) => issue.path.length));
  const best = [...all].sort((a, b) => depth(b) - depth(a))[0] ?? [];
  return depth(best) > path.length ? best : [{ message: "fits none of the variants", path }];
}
function checkNumber(schema, value) {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const found = [];
  if (minimum !== void 0 && value < minimum) found.push(`must be at least ${minimum}`);
  if (maximum !== void 0 && value > maximum) found.push(`must be at most ${maximum}`);
  if (exclusiveMinimum !== void 0 && value <= exclusiveMinimum) found.push(`must be more than ${exclusiveMinimum}`);
  if (exclusiveMaximum !== void 0 && value >= exclusiveMaximum) found.push(`must be less than ${exclusiveMaximum}`);
  return found;
}
function checkText(schema, value) {
  const { minLength, maxLength, pattern } = schema;
  const found = [];
  const length = [...value].length;
  if (minLength !== void 0 && length < minLength) found.push(`must have at least ${minLength} characters`);
  if (maxLength !== void 0 && length > maxLength) found.push(`must have at most ${maxLength} characters`);
  if (pattern !== void 0 && !matches(pattern, value)) found.push("has the wrong form");
  return found;
}
function matches(pattern, value) {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true;
  }
}
function checkList(schema, value, path) {
  const { minItems, maxItems, items, prefixItems } = schema;
  const issues = [];
  if (minItems !== void 0 && value.length < minItems) issues.push({ message: `must have at least ${minItems} items`, path });
  if (maxItems !== void 0 && value.length > maxItems) issues.push({ message: `must have at most ${maxItems} items`, path });
  value.forEach((item, index) => {
    const schema2 = prefixItems?.[index] ?? items;
    if (schema2) issues.push(...check(schema2, item, [...path, index]));
  });
  return issues;
}
function checkObject(schema, value, path) {
  const { properties, required, others } = schema;
  const issues = [];
  for (const name of required ?? []) {
    if (!has(value, name) || value[name] === void 0) {
      issues.push({ message: "is required", path: [...path, name] });
    }
  }
  for (const [name, property] of Object.entries(value)) {
    if (property === void 0) continue;
    const known = properties && has(properties, name) ? properties[name] : others;
    if (known) issues.push(...check(known, property, [...path, name]));
    else if (known === false) issues.push({ message: "is not known", path: [...path, name] });
  }
  return issues;
}
