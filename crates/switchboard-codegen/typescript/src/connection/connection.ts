import { StateError } from "../errors.js";
import { Machine } from "../machine.js";
import type { Core } from "../core.js";
import { Timer } from "../timer.js";
import type { Frame } from "../wire/codec.js";
import { json } from "../wire/codec.js";
import type { Inbound } from "../wire/envelope.js";
import { fields } from "../wire/envelope.js";
import { address } from "./address.js";
import { backoff } from "./backoff.js";
import type { Verdict } from "./close-codes.js";
import { verdict } from "./close-codes.js";
import { readHello } from "./hello.js";
import { Liveness } from "./liveness.js";
import { Socket } from "./socket.js";
import type { Authorizing, Closed, ConnectionState, End, Hello, Idle, Open, Opening, Phase, Waiting } from "./state.js";
import { PHASES, publicState } from "./state.js";
import type { Refresh } from "./token.js";
import { Tokens } from "./token.js";

export interface ConnectionEvents {
  state(state: ConnectionState): void;
  /** The connection is open. `token` is the one it was opened with. */
  opened(hello: Hello | undefined, token: string | undefined): void;
  /** The server drains. New messages have to wait. */
  draining(): void;
  received(message: Inbound): void;
  /** The socket is gone. Called before the state changes. */
  lost(end: End, terminal: boolean): void;
  /** Sends `$ws:refresh`. */
  refresh(token: string, done: (error: unknown, expiresInMs?: number) => void): void;
}

/** A connection that lasted this long resets the backoff. */
const STABLE_MS = 5_000;

/** Opens one socket at a time, and reconnects. */
export class Connection {
  readonly #url: string | URL;
  readonly #core: Core;
  readonly #events: ConnectionEvents;
  readonly #machine = new Machine<Phase, typeof PHASES>({ status: "idle" });
  /** Each phase has one timer at most. */
  readonly #timer: Timer;
  readonly #liveness: Liveness;
  readonly #tokens: Tokens;
  #lastToken: string | undefined;
  #unwatch: (() => void) | undefined;

  constructor(url: string | URL, core: Core, events: ConnectionEvents) {
    const { settings, wire, report } = core;
    this.#url = url;
    this.#core = core;
    this.#events = events;
    this.#timer = new Timer(settings.clock);
    const silent = (): void => {
      const { state } = this.#machine;
      if (state.status === "open") this.#lose(state, end("silent"), "backoff");
    };
    this.#liveness = new Liveness(settings, () => this.write(wire.control("__heartbeat")), silent);
    const refresh: Refresh = (token, done) => {
      this.#lastToken = token;
      events.refresh(token, done);
    };
    this.#tokens = new Tokens(settings, refresh, (error) => report(error, { source: "token" }));
  }

  get state(): ConnectionState {
    return publicState(this.#machine.state);
  }

  get latency(): number | undefined {
    return this.#liveness.latency;
  }

  /** What the socket buffers, in bytes. */
  get buffered(): number {
    const { state } = this.#machine;
    return state.status === "open" ? state.socket.buffered : 0;
  }

  /** Connects, or hurries an attempt that waits. */
  start(): void {
    const { state } = this.#machine;
    if (state.status === "idle" || state.status === "closed") {
      this.#unwatch = this.#core.settings.page.onWake(() => this.#wake());
      this.#authorize(state, 0);
    } else if (state.status === "waiting") this.#authorize(state, state.attempt);
  }

  close(code: number, message: string): void {
    const { state } = this.#machine;
    if (state.status !== "closed") this.#end(state, end("closed_by_client", message, code));
  }

  /** Whether the frame was written to the open socket. */
  write(frame: Frame): boolean {
    const { state } = this.#machine;
    return state.status === "open" && state.socket.write(frame);
  }

  #authorize(from: Idle | Waiting | Closed, attempt: number): void {
    const needsNewToken = from.status === "waiting" && from.needsNewToken;
    const abort = new AbortController();
    const phase: Authorizing = { status: "authorizing", attempt, abort };
    const fail = (error: unknown): void => {
      if (this.#machine.state !== phase) return;
      this.#core.report(error, { source: "token" });
      this.#lose(phase, end("token"), needsNewToken ? "credentials" : "backoff");
    };
    this.#machine.move(from, phase);
    this.#timer.set(this.#core.settings.connectTimeoutMs, () => fail(new Error("no token in time")));
    this.#publish(phase);
    this.#tokens.next(abort.signal).then((token) => {
      if (this.#machine.state !== phase) return;
      const isOld = token === undefined || token === this.#lastToken;
      if (needsNewToken && isOld) this.#end(phase, end("credentials", from.message, from.code));
      else this.#open(phase, token);
    }, fail);
  }

  #open(from: Authorizing, token: string | undefined): void {
    const { report, settings } = this.#core;
    const { WebSocket, connectTimeoutMs, offered, tokenIn } = settings;
    this.#lastToken = token;
    try {
      if (!WebSocket) throw new StateError("environment", "pass the option WebSocket");
      const { url, protocols } = address(this.#url, offered, tokenIn, token);
      const socket = new Socket(WebSocket, url, protocols, {
        opened: (protocol) => this.#opened(protocol),
        received: (frame) => this.#received(frame),
        closed: (code, message) => this.#closed(code, message),
      });
      const phase: Opening = { status: "opening", attempt: from.attempt, socket };
      this.#machine.move(from, phase);
      this.#timer.set(connectTimeoutMs, () => this.#lose(phase, end("timeout"), "backoff"));
    } catch (error) {
      report(error, { source: "socket" });
      this.#end(from, end("unsupported", String(error)));
    }
  }

  /** With a subprotocol of ours, the hello is still to come. */
  #opened(protocol: string): void {
    const { state } = this.#machine;
    const { codec, offered } = this.#core.settings;
    if (state.status !== "opening" || offered.includes(protocol)) return;
    if (codec === json) this.#greet(state, undefined);
    else this.#end(state, end("unsupported", `no ${codec.protocol}`));
  }

  #greet(from: Opening, hello: Hello | undefined): void {
    const { clock, heartbeatMs, tokenIn } = this.#core.settings;
    const phase: Open = { ...from, status: "open", openedAt: clock.now(), hello, retryAt: undefined };
    this.#machine.move(from, phase);
    this.#timer.clear();
    // Tokens can be refreshed only in the extended dialect, or by a message.
    if (hello || typeof tokenIn === "object") this.#tokens.start();
    this.#liveness.start(hello?.heartbeatMs ?? heartbeatMs);
    // Measures the latency. A plain server may not know heartbeats.
    if (hello) this.#liveness.probe();
    // The queue is flushed before the application is notified.
    this.#events.opened(hello, this.#lastToken);
    this.#publish(phase);
  }

  #received(frame: Frame): void {
    const message = this.#core.wire.read(frame);
    const isAnswer = message?.type === "__heartbeat_ack";
    this.#liveness.seen(isAnswer);
    const { state } = this.#machine;
    if (!message || isAnswer) return;
    if (message.type === "$ws:hello") {
      if (state.status === "opening") this.#greet(state, readHello(message.payload));
    } else if (message.type === "$ws:goaway") {
      if (state.status === "open") this.#goaway(state, message.payload);
    } else this.#events.received(message);
  }

  #goaway(from: Open, payload: unknown): void {
    const { retryInMs } = fields(payload);
    if (from.retryAt !== undefined || typeof retryInMs !== "number") return;
    const phase: Open = { ...from, retryAt: this.#core.settings.clock.now() + retryInMs };
    this.#machine.move(from, phase);
    // The client reconnects even if the server has not closed by then.
    this.#timer.set(retryInMs, () => this.#lose(phase, end("closed_by_server", "", 1012), "backoff"));
    this.#events.draining();
    this.#publish(phase);
  }

  #closed(code: number, message: string): void {
    const { state } = this.#machine;
    if ("socket" in state) this.#lose(state, end("closed_by_server", message, code), verdict(code, message));
  }

  #lose(from: Authorizing | Opening | Open, how: End, what: Verdict): void {
    const { clock, reconnect, token } = this.#core.settings;
    const now = clock.now();
    const isStable = from.status === "open" && now - from.openedAt >= STABLE_MS;
    const attempt = isStable ? 1 : from.attempt + 1;
    const needsNewToken = what === "credentials";
    if (what === "terminal") return this.#end(from, how);
    if (needsNewToken && !token) return this.#end(from, { ...how, reason: what });
    if (attempt > reconnect.maxAttempts) return this.#end(from, { ...how, reason: "attempts" });
    const retryAt = from.status === "open" && from.retryAt;
    const wait = what === "now" ? 0 : backoff(attempt - 1, reconnect, clock);
    const retryInMs = retryAt ? Math.max(0, retryAt - now) : wait;
    this.#release(from, how);
    const phase: Waiting = { status: "waiting", terminal: false, ...how, attempt, retryInMs, needsNewToken };
    this.#machine.move(from, phase);
    this.#timer.set(retryInMs, () => this.#authorize(phase, attempt));
    this.#events.lost(how, false);
    this.#publish(phase);
  }

  #end(from: Exclude<Phase, Closed>, how: End): void {
    this.#release(from, how);
    this.#unwatch?.();
    const phase: Closed = { status: "closed", terminal: true, ...how };
    this.#machine.move(from, phase);
    this.#events.lost(how, true);
    this.#publish(phase);
  }

  /** Releases the resources of a phase. */
  #release(from: Phase, { code, message }: End): void {
    this.#timer.clear();
    this.#liveness.stop();
    this.#tokens.stop();
    if (from.status === "authorizing") from.abort.abort();
    else if ("socket" in from) from.socket.drop(code, message);
  }

  #wake(): void {
    const { state } = this.#machine;
    if (state.status === "waiting") this.start();
    if (state.status !== "open") return;
    this.#tokens.check();
    this.#liveness.probe();
  }

  /** Publishes the state, unless a listener has already changed the phase. */
  #publish(phase: Phase): void {
    if (this.#machine.state === phase) this.#events.state(this.state);
  }
}

function end(reason: End["reason"], message = "", code?: number): End {
  return { reason, code, message };
}
