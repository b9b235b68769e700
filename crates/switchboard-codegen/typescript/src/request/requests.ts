import type { Core } from "../core.js";
import type { ServerError } from "../errors.js";
import { ConnectionClosedError, ValidationError, aborted, readError } from "../errors.js";
import type { Inbound } from "../wire/envelope.js";
import { correlationOf } from "../wire/envelope.js";
import { CorrelationIds } from "../wire/id.js";
import { Request } from "./request.js";

export interface RequestOptions<Progress = unknown> {
  /** Counts from sending. Default: the client's `requestTimeoutMs`. */
  timeoutMs?: number;
  /** Aborts the request, on the server too. */
  signal?: AbortSignal;
  onProgress?: [Progress] extends [never] ? undefined : (progress: Progress) => void;
  /** The server handles the request once for this key, so that it is sent again after a reconnect. */
  idempotencyKey?: string;
  /** Keys for `meta`. */
  meta?: object;
}

type Done = (error: unknown, payload?: unknown) => void;

/** The requests that have no answer yet. */
export class Requests {
  readonly #core: Core;
  readonly #ids = new CorrelationIds();
  readonly #pending = new Map<string, Request>();

  constructor(core: Core) {
    this.#core = core;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Sends a request, or queues it. `done` is called once. */
  start(type: string, response: string, payload: unknown, options: RequestOptions, done: Done): void {
    if (options.signal?.aborted) done(aborted());
    else {
      const request = this.#create(type, response, payload, options, done);
      this.#refuse(request, this.#core.submit(request));
    }
  }

  /** A request of the protocol, which belongs to the present connection. */
  control(type: string, response: string, payload: unknown, done: Done): void {
    const request = this.#create(type, response, payload, {}, done);
    if (this.#core.write(request.frame)) request.sent();
    else this.#refuse(request, new ConnectionClosedError("not_sent"));
  }

  /** Handles an answer. Returns false if the message is not one. */
  received(message: Inbound): boolean {
    const id = correlationOf(message);
    const request = this.#pending.get(id ?? "");
    // Answers to a requeued request come from its old connection.
    if (!request?.isSent) return id !== undefined && this.#ids.made(id);
    if (message.type === "$ws:rpc-progress") this.#progress(request, message.payload);
    else this.#settle(request, message);
    return true;
  }

  /** Handles the end of the connection. Returns the requests to send again, in order. */
  lost(code: number | undefined, terminal: boolean): Request[] {
    const again: Request[] = [];
    for (const request of this.#pending.values()) {
      if (!terminal && !request.isSent) continue;
      if (!terminal && request.init.repeatable) {
        request.requeued();
        again.push(request);
      } else this.#refuse(request, new ConnectionClosedError(request.wasSent ? "unknown_outcome" : "not_sent", code));
    }
    return again;
  }

  #create(type: string, response: string, payload: unknown, options: RequestOptions, done: Done): Request {
    const { settings, wire } = this.#core;
    const { signal, idempotencyKey, onProgress, meta, timeoutMs = settings.requestTimeoutMs } = options;
    const id = this.#ids.next();
    const frame = wire.write(type, { ...meta, timeoutMs, idempotencyKey, correlationId: id }, payload);
    const repeatable = idempotencyKey !== undefined;
    const init = { id, frame, response, timeoutMs, repeatable, signal, onProgress, done };
    const request = new Request(init, settings.clock, (request) => {
      this.#pending.delete(id);
      if (request.isSent) this.#core.write(wire.control("$ws:abort", id));
      else this.#core.forget(request);
    });
    this.#pending.set(id, request);
    return request;
  }

  #refuse(request: Request, error: Error | undefined): void {
    if (!error) return;
    this.#pending.delete(request.init.id);
    request.settle(error);
  }

  #progress(request: Request, payload: unknown): void {
    try {
      request.init.onProgress?.(payload);
    } catch (error) {
      this.#core.thrown(error);
    }
  }

  #settle(request: Request, { type, payload }: Inbound): void {
    const { id, response } = request.init;
    if (type === "RPC_ERROR" || type === "ERROR") this.#refuse(request, readError(payload, id));
    else if (type !== response) this.#refuse(request, unexpected(response, type));
    else {
      this.#pending.delete(id);
      request.settle(undefined, payload);
    }
  }
}

function unexpected(expected: string, type: string): ServerError {
  const message = `the answer is a ${type}, not a ${expected}`;
  return new ValidationError([{ path: "", code: "type", message }], message);
}
