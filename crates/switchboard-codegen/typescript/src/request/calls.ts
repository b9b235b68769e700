import type { Core } from "../core.js";
import type { Unsubscribe } from "../emitter.js";
import { ServerError, StateError } from "../errors.js";
import type { Inbound } from "../wire/envelope.js";
import { correlationOf } from "../wire/envelope.js";

export interface CallContext {
  /** Aborted when the connection ends: the answer has nowhere to go. */
  readonly signal: AbortSignal;
}

type Handler = (payload: unknown, context: CallContext) => unknown;

/** Requests of the server, and the functions that answer them. */
export class Calls {
  readonly #core: Core;
  /** Request type to response type. */
  readonly #responses: Readonly<Record<string, string>>;
  readonly #handlers = new Map<string, Handler>();
  readonly #running = new Set<AbortController>();

  constructor(responses: Readonly<Record<string, string>>, core: Core) {
    this.#responses = responses;
    this.#core = core;
  }

  handle(type: string, handler: Handler): Unsubscribe {
    if (this.#handlers.has(type)) throw new StateError("duplicate_handler", `${type} has a handler`);
    this.#handlers.set(type, handler);
    return () => {
      if (this.#handlers.get(type) === handler) this.#handlers.delete(type);
    };
  }

  /** Handles a request of the server. Returns false if the message is not one. */
  received(message: Inbound): boolean {
    const id = correlationOf(message);
    if (!id?.startsWith("s:")) return false;
    this.#answer(id, message).catch(this.#core.thrown);
    return true;
  }

  /** The connection ended. */
  lost(): void {
    for (const call of this.#running) call.abort();
    this.#running.clear();
  }

  async #answer(id: string, { type, payload }: Inbound): Promise<void> {
    const call = new AbortController();
    this.#running.add(call);
    try {
      const handler = this.#handlers.get(type);
      if (!handler) throw new ServerError("UNIMPLEMENTED", `the client does not handle ${type}`);
      const answer = await handler(payload, { signal: call.signal });
      this.#write(call, this.#responses[type] as string, id, answer);
    } catch (error) {
      // Only a ServerError is sent as it is. Other errors may contain secrets.
      const isMeant = error instanceof ServerError;
      if (!isMeant) this.#core.report(error, { source: "handler", type });
      const said = isMeant ? error : new ServerError("INTERNAL", "the handler failed");
      const { code, message, details, retryable, retryAfterMs } = said;
      this.#write(call, "RPC_ERROR", id, { code, message, details, retryable, retryAfterMs });
    } finally {
      this.#running.delete(call);
    }
  }

  /** Another connection does not know the id. Throws if the answer cannot be sent. */
  #write(call: AbortController, type: string, correlationId: string, answer: unknown): void {
    if (call.signal.aborted) return;
    const isWritten = this.#core.write(this.#core.wire.write(type, { correlationId }, answer));
    if (!isWritten && type !== "RPC_ERROR") throw new StateError("too_large", "the answer cannot be sent");
  }
}
