import type { Api, Route } from "./api.js";
import type { ConnectionEvents } from "./connection/connection.js";
import { Connection } from "./connection/connection.js";
import type { ConnectionState, End, Hello } from "./connection/state.js";
import type { Core } from "./core.js";
import { Emitter } from "./emitter.js";
import { reportUncaught } from "./environment.js";
import { StateError, ValidationError, closed, readError } from "./errors.js";
import type { ErrorContext, Gap, Options, Settings } from "./options.js";
import { settings } from "./options.js";
import type { Queued } from "./queue.js";
import { Queue, queueFull } from "./queue.js";
import { Calls } from "./request/calls.js";
import { Requests } from "./request/requests.js";
import { Topics } from "./topic/topics.js";
import type { Frame } from "./wire/codec.js";
import { byteLength } from "./wire/codec.js";
import type { Inbound } from "./wire/envelope.js";
import { correlationOf, fields } from "./wire/envelope.js";
import { Wire } from "./wire/wire.js";

/** Connects the parts of a client. */
export class Session implements Core, ConnectionEvents {
  readonly settings: Settings;
  readonly wire: Wire;
  readonly queue: Queue;
  readonly requests: Requests;
  readonly calls: Calls;
  readonly topics: Topics;
  readonly connection: Connection;
  readonly report = (error: unknown, context: ErrorContext): void => {
    if (this.errors.size > 0) this.errors.emit([error, context]);
    else reportUncaught(error);
  };
  readonly thrown = (error: unknown): void => this.report(error, { source: "listener" });
  readonly messages = new Emitter<Inbound>((error, { type }) => this.report(error, { source: "listener", type }));
  readonly states = new Emitter<ConnectionState>(this.thrown);
  readonly gaps = new Emitter<Gap>(this.thrown);
  readonly errors = new Emitter<[unknown, ErrorContext]>(reportUncaught);
  current: ConnectionState = { status: "idle" };
  hello: Hello | undefined;
  ready = false;
  /** Set before listeners are called, so that their sends are refused. */
  closed = false;
  readonly #contract: string;
  #isReported = false;

  constructor(url: string | URL, route: Route<Api>, options: Options) {
    this.#contract = route.contract;
    this.settings = settings(options);
    this.wire = new Wire(this.settings, this.report);
    this.queue = new Queue(this.settings.queue);
    this.requests = new Requests(this);
    this.calls = new Calls(route.calls, this);
    this.topics = new Topics(route.topics, this, this.requests);
    this.connection = new Connection(url, this, this);
  }

  submit(item: Queued): StateError | undefined {
    const { bytes } = item;
    const { buffered } = this.connection;
    if (this.closed) return closed();
    if (!this.#fits(bytes)) return tooLarge(bytes);
    // New messages must not overtake queued ones.
    if (this.queue.size === 0 && this.queue.fits(bytes, buffered) && this.#put(item)) return undefined;
    if (this.queue.push(item, buffered)) return undefined;
    const isOff = this.settings.queue.policy === "off" && !this.ready;
    return isOff ? new StateError("not_connected", "not connected") : queueFull();
  }

  write(frame: Frame): boolean {
    return this.#fits(byteLength(frame)) && this.connection.write(frame);
  }

  forget(item: Queued): void {
    this.queue.remove(item);
  }

  /** Runs the option `validate`. */
  invalid(type: string, payload: unknown, direction: "send" | "receive"): ValidationError | undefined {
    const issues = this.settings.validate?.(type, payload, direction);
    return issues?.length ? new ValidationError(issues, `${type} is not valid`) : undefined;
  }

  state(state: ConnectionState): void {
    this.current = state;
    this.states.emit(state);
  }

  opened(hello: Hello | undefined, token: string | undefined): void {
    this.hello = hello;
    if (token !== undefined) this.#sendToken(token);
    this.ready = true;
    this.topics.opened();
    this.queue.flush((item) => {
      if (this.#fits(item.bytes)) return this.#put(item);
      item.dropped(tooLarge(item.bytes));
      return true;
    });
    this.#checkContract(hello?.contract);
  }

  draining(): void {
    this.ready = false;
  }

  received(message: Inbound): void {
    const { type, payload } = message;
    if (this.requests.received(message) || this.calls.received(message)) return;
    if (type === "ERROR" || type === "RPC_ERROR") {
      return this.report(readError(payload, correlationOf(message)), { source: "server" });
    }
    if (type === "$ws:gap") return this.gaps.emit(payload as Gap);
    // Frames of a newer protocol.
    if (/^(\$ws:|__)/.test(type)) return;
    const invalid = this.invalid(type, payload, "receive");
    if (invalid) return this.report(invalid, { source: "validation", type });
    this.messages.emit(message);
    this.topics.received(message);
  }

  lost({ code }: End, terminal: boolean): void {
    this.ready = false;
    this.closed = terminal;
    this.hello = undefined;
    this.calls.lost();
    this.queue.restore(this.requests.lost(code, terminal));
    this.topics.lost(terminal);
    if (!terminal) return;
    this.queue.flush((item) => {
      item.dropped(closed());
      return true;
    });
  }

  refresh(token: string, done: (error: unknown, expiresInMs?: number) => void): void {
    if (!this.hello) {
      this.#sendToken(token);
      return done(undefined);
    }
    this.requests.control("$ws:refresh", "$ws:refreshed", { token }, (error, payload) => {
      const { expiresInMs } = fields(payload);
      done(error, typeof expiresInMs === "number" ? expiresInMs : undefined);
    });
  }

  /** Whether it was written. */
  #put(item: Queued): boolean {
    const isWritten = this.ready && this.connection.write(item.frame);
    if (isWritten) item.sent();
    return isWritten;
  }

  #fits(bytes: number): boolean {
    return bytes <= (this.hello?.maxMessageBytes ?? Infinity);
  }

  /** Sends the token as a message, if `tokenIn` says so. */
  #sendToken(token: string): void {
    const { tokenIn } = this.settings;
    if (typeof tokenIn === "object" && "message" in tokenIn)
      this.write(this.wire.write(tokenIn.message, {}, { token }));
  }

  #checkContract(actual: string | undefined): void {
    const expected = this.#contract;
    if (this.#isReported || !actual || actual === expected) return;
    this.#isReported = true;
    try {
      this.settings.onContractMismatch({ expected, actual });
    } catch (error) {
      this.thrown(error);
    }
  }
}

function tooLarge(bytes: number): StateError {
  return new StateError("too_large", `${bytes} bytes are more than the server takes`);
}
