/** One error in a payload. */
export interface Issue {
  /** The field's name on the wire, such as `items[2].name`; empty for the payload itself. */
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** The base of all errors of this package. */
export class SwitchboardError extends Error {
  override readonly name: string = "SwitchboardError";
}

/** A request timed out. */
export class TimeoutError extends SwitchboardError {
  override readonly name: string = "TimeoutError";
  constructor(readonly timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
  }
}

/** The optional fields of a `ServerError`. */
export interface ServerErrorInit {
  details?: unknown;
  retryable?: boolean | undefined;
  retryAfterMs?: number | null | undefined;
  /** The request that it answers, or the event if the server says so. */
  correlationId?: string | undefined;
}

/** The server answered with an error. */
export class ServerError<Code extends string = string> extends SwitchboardError {
  override readonly name: string = "ServerError";
  /** Details from the server. */
  declare readonly details: unknown;
  /** Whether the same request may succeed later; `undefined` where the server does not say. */
  declare readonly retryable: boolean | undefined;
  /** How long to wait before that; `null` if it can never succeed. */
  declare readonly retryAfterMs: number | null | undefined;
  declare readonly correlationId: string | undefined;
  constructor(
    readonly code: Code,
    message: string,
    { details, retryable, retryAfterMs, correlationId }: ServerErrorInit = {},
  ) {
    super(message);
    Object.assign(this, { details, retryable, retryAfterMs, correlationId });
  }
}

/** A payload is invalid, according to the server or to the option `validate`. */
export class ValidationError extends ServerError<"INVALID_ARGUMENT"> {
  override readonly name: string = "ValidationError";
  constructor(
    readonly issues: readonly Issue[],
    message: string,
    init: ServerErrorInit = {},
  ) {
    super("INVALID_ARGUMENT", message, init);
  }
}

/** `unknown_outcome`: it was sent, and may have been handled. `not_sent`: it was never sent. */
export type LossReason = "unknown_outcome" | "not_sent";

/** The connection ended before the answer arrived. */
export class ConnectionClosedError extends SwitchboardError {
  override readonly name: string = "ConnectionClosedError";
  constructor(
    readonly reason: LossReason,
    /** The close code, if the connection was closed with one. */
    readonly code?: number,
  ) {
    super(`connection closed: ${reason}`);
  }
}

export type StateReason =
  | "aborted"
  | "closed"
  | "duplicate_handler"
  | "environment"
  | "not_connected"
  | "overflow"
  | "queue_full"
  | "too_large";

/** The operation is not possible in the client's current state. */
export class StateError extends SwitchboardError {
  override readonly name: string = "StateError";
  constructor(
    readonly reason: StateReason,
    message: string,
  ) {
    super(message);
  }
}

export const closed = (): StateError => new StateError("closed", "closed");
export const aborted = (): StateError => new StateError("aborted", "aborted");

/** Reads the payload of `ERROR` and `RPC_ERROR`, which may be malformed. */
export function readError(payload: unknown, correlationId?: string): ServerError {
  const {
    code = "INTERNAL",
    message,
    ...said
  } = (payload ?? {}) as ServerErrorInit & { code?: string; message?: string };
  const text = String(message ?? code);
  const init = { ...said, correlationId };
  const issues = (said.details as { issues?: unknown } | null | undefined)?.issues;
  return code === "INVALID_ARGUMENT" && Array.isArray(issues)
    ? new ValidationError(issues, text, init)
    : new ServerError(code, text, init);
}
