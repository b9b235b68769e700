/** A message, in the standard envelope. */
export interface Inbound {
  readonly type: string;
  readonly meta: { readonly [key: string]: unknown };
  readonly payload: unknown;
}

/** Reads a message. Returns `undefined` if it has no type. */
export function open(message: unknown): Inbound | undefined {
  const { type, meta, payload } = fields(message);
  return typeof type === "string" ? { type, meta: fields(meta), payload } : undefined;
}

/** The correlation id of a message, if it has one. */
export function correlationOf({ meta }: Inbound): string | undefined {
  const id = meta["correlationId"];
  return typeof id === "string" ? id : undefined;
}

/** Returns the fields of an arbitrary value. */
export function fields(value: unknown): { readonly [name: string]: unknown } {
  return (value ?? {}) as { readonly [name: string]: unknown };
}
