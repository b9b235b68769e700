// The TypeScript client of Switchboard, written by its generator. Do not edit.
/* eslint-disable */
// src/errors.ts
var SwitchboardError = class extends Error {
  name = "SwitchboardError";
};
var TimeoutError = class extends SwitchboardError {
  constructor(timeoutMs) {
    super(`no answer within ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
  }
  timeoutMs;
  name = "TimeoutError";
};
var ServerError = class extends SwitchboardError {
  constructor(code, message, { details, retryable, retryAfterMs, correlationId } = {}) {
    super(message);
    this.code = code;
    Object.assign(this, { details, retryable, retryAfterMs, correlationId });
  }
  code;
  name = "ServerError";
};
var ValidationError = class extends ServerError {
  constructor(issues, message, init = {}) {
    super("INVALID_ARGUMENT", message, init);
    this.issues = issues;
  }
  issues;
  name = "ValidationError";
};
var ConnectionClosedError = class extends SwitchboardError {
  constructor(reason, code) {
    super(`connection closed: ${reason}`);
    this.reason = reason;
    this.code = code;
  }
  reason;
  code;
  name = "ConnectionClosedError";
};
var StateError = class extends SwitchboardError {
  constructor(reason, message) {
    super(message);
    this.reason = reason;
  }
  reason;
  name = "StateError";
};
var closed = () => new StateError("closed", "closed");
var aborted = () => new StateError("aborted", "aborted");
function readError(payload, correlationId) {
  const {
    code = "INTERNAL",
    message,
    ...said
  } = payload ?? {};
  const text = String(message ?? code);
  const init = { ...said, correlationId };
  const issues = said.details?.issues;
  return code === "INVALID_ARGUMENT" && Array.isArray(issues) ? new ValidationError(issues, text, init) : new ServerError(code, text, init);
}

// src/machine.ts
var Machine = class {
  #state;
  constructor(initial) {
    this.#state = initial;
  }
  get state() {
    return this.#state;
  }
  /** Enters a new state. */
  move(_from, to) {
    this.#state = to;
  }
};

// src/timer.ts
var Timer = class {
  #clock;
  #pending;
  constructor(clock) {
    this.#clock = clock;
  }
  set(ms, fire) {
    this.clear();
    this.#pending = this.#clock.setTimeout(fire, ms);
  }
  clear() {
    this.#clock.clearTimeout(this.#pending);
  }
};

// src/wire/codec.ts
var json = {
  protocol: "switchboard.v1.json",
  encode: (message) => JSON.stringify(message),
  // Fails for binary frames, as it should.
  decode: (frame) => JSON.parse(frame)
};
var utf8 = new TextEncoder();
function byteLength(frame) {
  return typeof frame === "string" ? utf8.encode(frame).length : frame.length;
}

// src/wire/envelope.ts
function open(message) {
  const { type, meta, payload } = fields(message);
  return typeof type === "string" ? { type, meta: fields(meta), payload } : void 0;
}
function correlationOf({ meta }) {
  const id = meta["correlationId"];
  return typeof id === "string" ? id : void 0;
}
function fields(value) {
  return value ?? {};
}

// src/environment.ts
var MAX_TIMER_MS = 2 ** 31 - 1;
var systemClock = {
  now: () => Date.now(),
  random: () => Math.random(),
  setTimeout: (callback, ms) => setTimeout(callback, Math.min(ms, MAX_TIMER_MS)),
  clearTimeout: (timer) => clearTimeout(timer)
};
var globals = globalThis;
var systemPage = {
  hidden: () => globals.document?.visibilityState === "hidden",
  onWake(listener) {
    const stop = new AbortController();
    const wake = () => {
      if (!systemPage.hidden()) listener();
    };
    globals.document?.addEventListener?.("visibilitychange", wake, stop);
    globals.addEventListener?.("online", wake, stop);
    return () => stop.abort();
  }
};
function reportUncaught(error) {
  if (globals.reportError) globals.reportError(error);
  else globals.console.error(error);
}

// src/connection/address.ts
function address(url, offered, placement, token) {
  const target = new URL(url, globals.location?.href);
  target.protocol = target.protocol.replace(/^http/, "ws");
  const protocols = [...offered];
  if (token !== void 0) {
    if (placement === "subprotocol") protocols.push(`bearer.${escapeToken(token)}`);
    else if ("query" in placement) target.searchParams.set(placement.query, token);
  }
  return { url: target.href, protocols };
}
function escapeToken(token) {
  return encodeURIComponent(token).replace(/[()]/g, (bracket) => `%${bracket.charCodeAt(0).toString(16)}`);
}

// src/connection/backoff.ts
function backoff(attempt, options, clock) {
  const bound = Math.min(options.maxDelayMs, options.minDelayMs * 2 ** attempt);
  return Math.floor(clock.random() * bound);
}

// src/connection/close-codes.ts
var TERMINAL = /* @__PURE__ */ new Set([1e3, 1002, 1003, 1007, 1009, 4401, 4403]);
function verdict(code, reason) {
  if (TERMINAL.has(code) || code >= 4500 && code <= 4999) return "terminal";
  if (code === 1008) return reason === "Heartbeat timeout" ? "now" : "credentials";
  return "backoff";
}

// src/connection/hello.ts
var positive = (value) => value > 0 ? value : void 0;
function readHello(payload) {
  const said = fields(payload);
  const heartbeatMs = positive(said["heartbeatMs"]);
  const maxMessageBytes = positive(fields(said["limits"])["maxMessageBytes"]);
  return { ...said, heartbeatMs, maxMessageBytes };
}

// src/connection/liveness.ts
var ASLEEP_MS = 5e3;
var Liveness = class {
  #settings;
  #send;
  #silent;
  #timer;
  #intervalMs = 0;
  #seenAt = 0;
  /** When the unanswered heartbeat was sent. */
  #probedAt;
  /** The last round trip in milliseconds. */
  latency;
  /** `send` sends a heartbeat; `silent` is called when one is not answered. */
  constructor(settings2, send, silent) {
    this.#settings = settings2;
    this.#send = send;
    this.#silent = silent;
    this.#timer = new Timer(settings2.clock);
  }
  start(intervalMs) {
    this.#intervalMs = intervalMs;
    this.#seenAt = this.#now();
    this.#wait(intervalMs);
  }
  stop() {
    this.#timer.clear();
    this.#probedAt = void 0;
  }
  /** Records a received frame. Any frame counts as an answer to a heartbeat. */
  seen(isAnswer) {
    this.#seenAt = this.#now();
    if (this.#probedAt === void 0) return;
    if (isAnswer) this.latency = this.#seenAt - this.#probedAt;
    this.#probedAt = void 0;
    this.#wait(this.#intervalMs);
  }
  /** Sends a heartbeat now, and waits for the answer. */
  probe() {
    this.#probedAt = this.#now();
    this.#timer.set(this.#settings.heartbeatTimeoutMs, () => this.#judge());
    this.#send();
  }
  #idle() {
    const left = this.#seenAt + this.#intervalMs - this.#now();
    if (left > 0) this.#wait(left);
    else this.probe();
  }
  #judge() {
    const { page, heartbeatTimeoutMs } = this.#settings;
    const late = this.#now() - (this.#probedAt ?? 0) - heartbeatTimeoutMs;
    if (page.hidden()) {
      this.#probedAt = void 0;
      this.#wait(this.#intervalMs);
    } else if (late > ASLEEP_MS) this.probe();
    else this.#silent();
  }
  #wait(ms) {
    this.#timer.set(ms, () => this.#idle());
  }
  #now() {
    return this.#settings.clock.now();
  }
};

// src/connection/socket.ts
var OPEN = 1;
var Socket = class {
  #socket;
  /** Throws where the runtime refuses the URL or a subprotocol. */
  constructor(constructor, url, protocols, events) {
    const socket = new constructor(url, protocols);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => events.opened(socket.protocol);
    socket.onmessage = ({ data }) => events.received(typeof data === "string" ? data : new Uint8Array(data));
    socket.onclose = ({ code, reason }) => {
      this.#detach();
      events.closed(code ?? 1006, reason ?? "");
    };
    socket.onerror = () => {
    };
  }
  get buffered() {
    return this.#socket.bufferedAmount;
  }
  /** Returns whether the frame was written; `false` while the socket closes. */
  write(frame) {
    if (this.#socket.readyState !== OPEN) return false;
    this.#socket.send(frame);
    return true;
  }
  drop(code, reason) {
    this.#detach();
    try {
      this.#socket.close(code, reason);
    } catch {
      this.#socket.close();
    }
  }
  #detach() {
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
  }
};

// src/connection/state.ts
function publicState(phase) {
  const { status } = phase;
  if (status === "open") {
    const { hello, retryAt } = phase;
    const dialect = hello ? "extended" : "plain";
    return { status, clientId: hello?.clientId, dialect, draining: retryAt !== void 0 };
  }
  if (status === "authorizing" || status === "opening") return { status: "connecting", attempt: phase.attempt };
  return phase;
}

// src/connection/token.ts
var MARGIN_MS = 3e4;
var MIN_MS = 1e3;
var RETRY_MS = 5e3;
var Tokens = class {
  #settings;
  #send;
  #failed;
  #timer;
  #dueAt;
  #expiresAt;
  #refreshing;
  constructor(settings2, send, failed) {
    this.#settings = settings2;
    this.#send = send;
    this.#failed = failed;
    this.#timer = new Timer(settings2.clock);
  }
  /** Obtains the token for a new connection. */
  async next(signal) {
    this.stop();
    return this.#take("connect", signal);
  }
  /** Schedules refreshes of the token that `next` returned last. */
  start() {
    if (this.#expiresAt !== void 0) this.#expire(this.#expiresAt - this.#now());
  }
  stop() {
    this.#timer.clear();
    this.#refreshing?.abort();
    this.#dueAt = this.#refreshing = void 0;
  }
  /** Refreshes the token if it is due. Timers can be late after sleep. */
  check() {
    if (this.#dueAt !== void 0 && this.#now() >= this.#dueAt) this.#refresh();
  }
  async #take(purpose, signal) {
    const made = await this.#settings.token?.({ purpose, signal });
    const { token, expiresInMs } = typeof made === "string" ? { token: made } : made ?? {};
    if (!signal.aborted) this.#expiresAt = expiresInMs && this.#now() + expiresInMs;
    return token;
  }
  #expire(inMs) {
    this.#arm(Math.max(MIN_MS, inMs - Math.min(MARGIN_MS, inMs / 2)));
  }
  #arm(ms) {
    this.#dueAt = this.#now() + ms;
    this.#timer.set(ms, () => this.#refresh());
  }
  #now() {
    return this.#settings.clock.now();
  }
  #refresh() {
    if (this.#refreshing) return;
    const refreshing = new AbortController();
    this.#refreshing = refreshing;
    this.#dueAt = void 0;
    const done = (error, expiresInMs) => {
      if (this.#refreshing !== refreshing) return;
      this.#refreshing = void 0;
      if (error !== void 0) this.#retry(error);
      else if (expiresInMs !== void 0) this.#expire(expiresInMs);
      else this.start();
    };
    this.#take("refresh", refreshing.signal).then((token) => {
      if (this.#refreshing !== refreshing) return;
      if (token === void 0) this.#refreshing = void 0;
      else this.#send(token, done);
    }, done);
  }
  /** After a final error, the server closes the connection when the token expires. */
  #retry(error) {
    this.#failed(error);
    if (!(error instanceof ServerError)) this.#arm(RETRY_MS);
    else if (error.retryable) this.#arm(error.retryAfterMs ?? RETRY_MS);
  }
};

// src/connection/connection.ts
var STABLE_MS = 5e3;
var Connection = class {
  #url;
  #core;
  #events;
  #machine = new Machine({ status: "idle" });
  /** Each phase has one timer at most. */
  #timer;
  #liveness;
  #tokens;
  #lastToken;
  #unwatch;
  constructor(url, core, events) {
    const { settings: settings2, wire, report } = core;
    this.#url = url;
    this.#core = core;
    this.#events = events;
    this.#timer = new Timer(settings2.clock);
    const silent = () => {
      const { state } = this.#machine;
      if (state.status === "open") this.#lose(state, end("silent"), "backoff");
    };
    this.#liveness = new Liveness(settings2, () => this.write(wire.control("__heartbeat")), silent);
    const refresh = (token, done) => {
      this.#lastToken = token;
      events.refresh(token, done);
    };
    this.#tokens = new Tokens(settings2, refresh, (error) => report(error, { source: "token" }));
  }
  get state() {
    return publicState(this.#machine.state);
  }
  get latency() {
    return this.#liveness.latency;
  }
  /** What the socket buffers, in bytes. */
  get buffered() {
    const { state } = this.#machine;
    return state.status === "open" ? state.socket.buffered : 0;
  }
  /** Connects, or hurries an attempt that waits. */
  start() {
    const { state } = this.#machine;
    if (state.status === "idle" || state.status === "closed") {
      this.#unwatch = this.#core.settings.page.onWake(() => this.#wake());
      this.#authorize(state, 0);
    } else if (state.status === "waiting") this.#authorize(state, state.attempt);
  }
  close(code, message) {
    const { state } = this.#machine;
    if (state.status !== "closed") this.#end(state, end("closed_by_client", message, code));
  }
  /** Whether the frame was written to the open socket. */
  write(frame) {
    const { state } = this.#machine;
    return state.status === "open" && state.socket.write(frame);
  }
  #authorize(from, attempt) {
    const needsNewToken = from.status === "waiting" && from.needsNewToken;
    const abort = new AbortController();
    const phase = { status: "authorizing", attempt, abort };
    const fail = (error) => {
      if (this.#machine.state !== phase) return;
      this.#core.report(error, { source: "token" });
      this.#lose(phase, end("token"), needsNewToken ? "credentials" : "backoff");
    };
    this.#machine.move(from, phase);
    this.#timer.set(this.#core.settings.connectTimeoutMs, () => fail(new Error("no token in time")));
    this.#publish(phase);
    this.#tokens.next(abort.signal).then((token) => {
      if (this.#machine.state !== phase) return;
      const isOld = token === void 0 || token === this.#lastToken;
      if (needsNewToken && isOld) this.#end(phase, end("credentials", from.message, from.code));
      else this.#open(phase, token);
    }, fail);
  }
  #open(from, token) {
    const { report, settings: settings2 } = this.#core;
    const { WebSocket, connectTimeoutMs, offered, tokenIn } = settings2;
    this.#lastToken = token;
    try {
      if (!WebSocket) throw new StateError("environment", "pass the option WebSocket");
      const { url, protocols } = address(this.#url, offered, tokenIn, token);
      const socket = new Socket(WebSocket, url, protocols, {
        opened: (protocol) => this.#opened(protocol),
        received: (frame) => this.#received(frame),
        closed: (code, message) => this.#closed(code, message)
      });
      const phase = { status: "opening", attempt: from.attempt, socket };
      this.#machine.move(from, phase);
      this.#timer.set(connectTimeoutMs, () => this.#lose(phase, end("timeout"), "backoff"));
    } catch (error) {
      report(error, { source: "socket" });
      this.#end(from, end("unsupported", String(error)));
    }
  }
  /** With a subprotocol of ours, the hello is still to come. */
  #opened(protocol) {
    const { state } = this.#machine;
    const { codec, offered } = this.#core.settings;
    if (state.status !== "opening" || offered.includes(protocol)) return;
    if (codec === json) this.#greet(state, void 0);
    else this.#end(state, end("unsupported", `no ${codec.protocol}`));
  }
  #greet(from, hello) {
    const { clock, heartbeatMs, tokenIn } = this.#core.settings;
    const phase = { ...from, status: "open", openedAt: clock.now(), hello, retryAt: void 0 };
    this.#machine.move(from, phase);
    this.#timer.clear();
    if (hello || typeof tokenIn === "object") this.#tokens.start();
    this.#liveness.start(hello?.heartbeatMs ?? heartbeatMs);
    if (hello) this.#liveness.probe();
    this.#events.opened(hello, this.#lastToken);
    this.#publish(phase);
  }
  #received(frame) {
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
  #goaway(from, payload) {
    const { retryInMs } = fields(payload);
    if (from.retryAt !== void 0 || typeof retryInMs !== "number") return;
    const phase = { ...from, retryAt: this.#core.settings.clock.now() + retryInMs };
    this.#machine.move(from, phase);
    this.#timer.set(retryInMs, () => this.#lose(phase, end("closed_by_server", "", 1012), "backoff"));
    this.#events.draining();
    this.#publish(phase);
  }
  #closed(code, message) {
    const { state } = this.#machine;
    if ("socket" in state) this.#lose(state, end("closed_by_server", message, code), verdict(code, message));
  }
  #lose(from, how, what) {
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
    const phase = { status: "waiting", terminal: false, ...how, attempt, retryInMs, needsNewToken };
    this.#machine.move(from, phase);
    this.#timer.set(retryInMs, () => this.#authorize(phase, attempt));
    this.#events.lost(how, false);
    this.#publish(phase);
  }
  #end(from, how) {
    this.#release(from, how);
    this.#unwatch?.();
    const phase = { status: "closed", terminal: true, ...how };
    this.#machine.move(from, phase);
    this.#events.lost(how, true);
    this.#publish(phase);
  }
  /** Releases the resources of a phase. */
  #release(from, { code, message }) {
    this.#timer.clear();
    this.#liveness.stop();
    this.#tokens.stop();
    if (from.status === "authorizing") from.abort.abort();
    else if ("socket" in from) from.socket.drop(code, message);
  }
  #wake() {
    const { state } = this.#machine;
    if (state.status === "waiting") this.start();
    if (state.status !== "open") return;
    this.#tokens.check();
    this.#liveness.probe();
  }
  /** Publishes the state, unless a listener has already changed the phase. */
  #publish(phase) {
    if (this.#machine.state === phase) this.#events.state(this.state);
  }
};
function end(reason, message = "", code) {
  return { reason, code, message };
}

// src/emitter.ts
var Emitter = class {
  #listeners = /* @__PURE__ */ new Map();
  #report;
  constructor(report) {
    this.#report = report;
  }
  get size() {
    return this.#listeners.size;
  }
  /** Adds a listener. The same function added twice is called twice. */
  add(listener) {
    const key = {};
    this.#listeners.set(key, listener);
    return () => void this.#listeners.delete(key);
  }
  emit(value) {
    for (const [key, listener] of [...this.#listeners]) {
      try {
        if (this.#listeners.has(key)) listener(value);
      } catch (error) {
        this.#report(error, value);
      }
    }
  }
};

// src/options.ts
function settings(options) {
  const given = {
    tokenIn: "subprotocol",
    codec: json,
    requestTimeoutMs: 3e4,
    connectTimeoutMs: 1e4,
    heartbeatMs: 25e3,
    heartbeatTimeoutMs: 1e4,
    onContractMismatch: warn,
    WebSocket: globals.WebSocket,
    clock: systemClock,
    page: systemPage,
    ...defined(options)
  };
  return {
    ...given,
    offered: options.dialect === "plain" ? [] : [given.codec.protocol],
    reconnect: { minDelayMs: 300, maxDelayMs: 1e4, maxAttempts: Infinity, ...defined(options.reconnect) },
    queue: { policy: "drop-newest", maxItems: 1e3, maxBytes: 1024 * 1024, ...defined(options.queue) }
  };
}
function defined(options) {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== void 0));
}
function warn({ expected, actual }) {
  globals.console.warn(`switchboard: the contract is ${actual}, not ${expected}`);
}

// src/queue.ts
var queueFull = () => new StateError("queue_full", "the queue is full");
var Queue = class {
  #options;
  #items = /* @__PURE__ */ new Set();
  #bytes = 0;
  constructor(options) {
    this.#options = options;
  }
  get size() {
    return this.#items.size;
  }
  /** Returns whether `bytes` more fit, given what the socket has buffered. */
  fits(bytes, buffered) {
    return this.#bytes + buffered + bytes <= this.#options.maxBytes;
  }
  /** Adds a message. Returns whether it was accepted. */
  push(item, buffered) {
    const { policy, maxItems, maxBytes } = this.#options;
    const isFull = () => this.size >= maxItems || !this.fits(item.bytes, buffered);
    if (policy === "drop-oldest" && item.bytes + buffered <= maxBytes) {
      for (const oldest of this.#items) {
        if (!isFull()) break;
        this.remove(oldest);
        oldest.dropped(queueFull());
      }
    }
    if (policy === "off" || isFull()) return false;
    this.#add(item);
    return true;
  }
  /** Inserts messages at the front, without regard to the limits. */
  restore(items) {
    const later = this.#items;
    this.#items = /* @__PURE__ */ new Set();
    this.#bytes = 0;
    for (const item of [...items, ...later]) this.#add(item);
  }
  remove(item) {
    if (this.#items.delete(item)) this.#bytes -= item.bytes;
  }
  /** Removes messages in order, until `take` returns false. */
  flush(take) {
    for (const item of this.#items) {
      if (!take(item)) return;
      this.remove(item);
    }
  }
  #add(item) {
    this.#items.add(item);
    this.#bytes += item.bytes;
  }
};

// src/request/calls.ts
var Calls = class {
  #core;
  /** Request type to response type. */
  #responses;
  #handlers = /* @__PURE__ */ new Map();
  #running = /* @__PURE__ */ new Set();
  constructor(responses, core) {
    this.#responses = responses;
    this.#core = core;
  }
  handle(type, handler) {
    if (this.#handlers.has(type)) throw new StateError("duplicate_handler", `${type} has a handler`);
    this.#handlers.set(type, handler);
    return () => {
      if (this.#handlers.get(type) === handler) this.#handlers.delete(type);
    };
  }
  /** Handles a request of the server. Returns false if the message is not one. */
  received(message) {
    const id = correlationOf(message);
    if (!id?.startsWith("s:")) return false;
    this.#answer(id, message).catch(this.#core.thrown);
    return true;
  }
  /** The connection ended. */
  lost() {
    for (const call of this.#running) call.abort();
    this.#running.clear();
  }
  async #answer(id, { type, payload }) {
    const call = new AbortController();
    this.#running.add(call);
    try {
      const handler = this.#handlers.get(type);
      if (!handler) throw new ServerError("UNIMPLEMENTED", `the client does not handle ${type}`);
      const answer = await handler(payload, { signal: call.signal });
      this.#write(call, this.#responses[type], id, answer);
    } catch (error) {
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
  #write(call, type, correlationId, answer) {
    if (call.signal.aborted) return;
    const isWritten = this.#core.write(this.#core.wire.write(type, { correlationId }, answer));
    if (!isWritten && type !== "RPC_ERROR") throw new StateError("too_large", "the answer cannot be sent");
  }
};

// src/wire/id.ts
var CorrelationIds = class {
  #prefix = "xxxxxxxx-xxxx-4xxx-8xxx-".replace(/x/g, () => (Math.random() * 16 | 0).toString(16));
  #count = 0;
  next() {
    return this.#prefix + (++this.#count).toString(16).padStart(12, "0");
  }
  /** Returns whether this client generated the id. */
  made(id) {
    return id.startsWith(this.#prefix);
  }
};

// src/request/request.ts
var Request = class {
  init;
  frame;
  bytes;
  #machine = new Machine({ status: "queued" });
  #timer;
  #givenUp;
  /** Whether it was ever written. */
  wasSent = false;
  /** `givenUp` is called if the request ends before its answer. */
  constructor(init, clock, givenUp) {
    this.init = init;
    this.frame = init.frame;
    this.bytes = byteLength(init.frame);
    this.#timer = new Timer(clock);
    this.#givenUp = givenUp;
    init.signal?.addEventListener("abort", this.#abort);
  }
  get isSent() {
    return this.#machine.state.status === "sent";
  }
  /** Marks it as written. The timeout starts with the first write. */
  sent() {
    const { state } = this.#machine;
    if (state.status !== "queued") return;
    this.#machine.move(state, { status: "sent" });
    if (this.wasSent) return;
    this.wasSent = true;
    const { timeoutMs } = this.init;
    this.#timer.set(timeoutMs, () => this.dropped(new TimeoutError(timeoutMs)));
  }
  /** Marks it as queued again, after its connection was lost. */
  requeued() {
    const { state } = this.#machine;
    if (state.status === "sent") this.#machine.move(state, { status: "queued" });
  }
  /** Fails it before an answer arrived. */
  dropped(error) {
    this.#givenUp(this);
    this.settle(error);
  }
  settle(error, payload) {
    const { state } = this.#machine;
    if (state.status === "settled") return;
    this.#machine.move(state, { status: "settled" });
    this.#timer.clear();
    this.init.signal?.removeEventListener("abort", this.#abort);
    this.init.done(error, payload);
  }
  #abort = () => this.dropped(aborted());
};

// src/request/requests.ts
var Requests = class {
  #core;
  #ids = new CorrelationIds();
  #pending = /* @__PURE__ */ new Map();
  constructor(core) {
    this.#core = core;
  }
  get size() {
    return this.#pending.size;
  }
  /** Sends a request, or queues it. `done` is called once. */
  start(type, response, payload, options, done) {
    if (options.signal?.aborted) done(aborted());
    else {
      const request = this.#create(type, response, payload, options, done);
      this.#refuse(request, this.#core.submit(request));
    }
  }
  /** A request of the protocol, which belongs to the present connection. */
  control(type, response, payload, done) {
    const request = this.#create(type, response, payload, {}, done);
    if (this.#core.write(request.frame)) request.sent();
    else this.#refuse(request, new ConnectionClosedError("not_sent"));
  }
  /** Handles an answer. Returns false if the message is not one. */
  received(message) {
    const id = correlationOf(message);
    const request = this.#pending.get(id ?? "");
    if (!request?.isSent) return id !== void 0 && this.#ids.made(id);
    if (message.type === "$ws:rpc-progress") this.#progress(request, message.payload);
    else this.#settle(request, message);
    return true;
  }
  /** Handles the end of the connection. Returns the requests to send again, in order. */
  lost(code, terminal) {
    const again = [];
    for (const request of this.#pending.values()) {
      if (!terminal && !request.isSent) continue;
      if (!terminal && request.init.repeatable) {
        request.requeued();
        again.push(request);
      } else this.#refuse(request, new ConnectionClosedError(request.wasSent ? "unknown_outcome" : "not_sent", code));
    }
    return again;
  }
  #create(type, response, payload, options, done) {
    const { settings: settings2, wire } = this.#core;
    const { signal, idempotencyKey, onProgress, meta, timeoutMs = settings2.requestTimeoutMs } = options;
    const id = this.#ids.next();
    const frame = wire.write(type, { ...meta, timeoutMs, idempotencyKey, correlationId: id }, payload);
    const repeatable = idempotencyKey !== void 0;
    const init = { id, frame, response, timeoutMs, repeatable, signal, onProgress, done };
    const request = new Request(init, settings2.clock, (request2) => {
      this.#pending.delete(id);
      if (request2.isSent) this.#core.write(wire.control("$ws:abort", id));
      else this.#core.forget(request2);
    });
    this.#pending.set(id, request);
    return request;
  }
  #refuse(request, error) {
    if (!error) return;
    this.#pending.delete(request.init.id);
    request.settle(error);
  }
  #progress(request, payload) {
    try {
      request.init.onProgress?.(payload);
    } catch (error) {
      this.#core.thrown(error);
    }
  }
  #settle(request, { type, payload }) {
    const { id, response } = request.init;
    if (type === "RPC_ERROR" || type === "ERROR") this.#refuse(request, readError(payload, id));
    else if (type !== response) this.#refuse(request, unexpected(response, type));
    else {
      this.#pending.delete(id);
      request.settle(void 0, payload);
    }
  }
};
function unexpected(expected, type) {
  const message = `the answer is a ${type}, not a ${expected}`;
  return new ValidationError([{ path: "", code: "type", message }], message);
}

// src/topic/pattern.ts
function typesOf(topic, patterns) {
  const found = Object.entries(patterns).filter(([pattern]) => {
    const [start = "", end2] = pattern.split(/\{.*\}|\*$/);
    return end2 === void 0 ? topic === start : topic.startsWith(start) && topic.endsWith(end2);
  });
  return found.flatMap(([, types]) => types);
}

// src/topic/topic.ts
var Topic = class {
  name;
  types;
  /** Each handle listens to both. */
  messages;
  states;
  #machine = new Machine({ status: "pending" });
  #core;
  #join;
  #timer;
  #attempt = 0;
  constructor(name, types, core, join) {
    this.name = name;
    this.types = types;
    this.messages = new Emitter(core.thrown);
    this.states = new Emitter(core.thrown);
    this.#core = core;
    this.#timer = new Timer(core.settings.clock);
    this.#join = join;
  }
  get state() {
    return this.#machine.state;
  }
  /** Joins the topic on the present connection. */
  join() {
    const { state } = this;
    if (state.status !== "pending" && state.status !== "failed") return;
    const joining = { status: "joining" };
    this.#machine.move(state, joining);
    this.#changed();
    this.#join((error) => {
      if (this.state !== joining) return;
      if (error instanceof ConnectionClosedError) return this.lost();
      if (error) return this.#failed(joining, error);
      this.#attempt = 0;
      this.#machine.move(joining, { status: "joined" });
      this.#changed();
    });
  }
  /** Returns to `pending` after the connection was lost. */
  lost() {
    const { state } = this;
    if (state.status === "closed" || state.status === "pending") return;
    this.#machine.move(state, { status: "pending" });
    this.#changed();
  }
  close() {
    const { state } = this;
    if (state.status === "closed") return;
    this.#machine.move(state, { status: "closed" });
    this.#changed();
  }
  #failed(from, error) {
    this.#machine.move(from, { status: "failed", error });
    this.#changed();
    if (!(error instanceof ServerError && error.retryable)) return;
    const { reconnect, clock } = this.#core.settings;
    const wait = (error.retryAfterMs ?? 0) + backoff(this.#attempt++, reconnect, clock);
    if (this.state.status === "failed") this.#timer.set(wait, () => this.join());
  }
  #changed() {
    this.#timer.clear();
    this.states.emit(this.state);
  }
};

// src/topic/topics.ts
var Topics = class {
  #topics = /* @__PURE__ */ new Map();
  #patterns;
  #core;
  #requests;
  constructor(patterns, core, requests) {
    this.#patterns = patterns;
    this.#core = core;
    this.#requests = requests;
  }
  /** Returns the topic, joining it on first use. */
  get(name) {
    let topic = this.#topics.get(name);
    if (!topic) {
      topic = new Topic(name, typesOf(name, this.#patterns), this.#core, (done) => {
        if (this.#core.hello) this.#request("$ws:subscribe", name, done);
        else done(new StateError("not_connected", "the server has no topics"));
      });
      this.#topics.set(name, topic);
      this.#start(topic);
    }
    return topic;
  }
  /** Leaves the topic if it has no handles left. Deferred, since StrictMode closes and reopens handles. */
  released(topic) {
    queueMicrotask(() => {
      const { status } = topic.state;
      if (topic.states.size > 0 || status === "closed") return;
      this.#topics.delete(topic.name);
      topic.close();
      if (status === "joining" || status === "joined") this.#request("$ws:unsubscribe", topic.name, () => {
      });
    });
  }
  opened() {
    for (const topic of this.#topics.values()) this.#start(topic);
  }
  lost(terminal) {
    for (const topic of this.#topics.values()) {
      if (terminal) topic.close();
      else topic.lost();
    }
    if (terminal) this.#topics.clear();
  }
  /** Dispatches a message by `meta.topic`, or by its type if it names no topic. */
  received(message) {
    const name = message.meta["topic"];
    for (const topic of this.#topics.values()) {
      const isMeant = typeof name === "string" ? topic.name === name : topic.types.includes(message.type);
      if (isMeant && topic.state.status === "joined") topic.messages.emit(message);
    }
  }
  #start(topic) {
    if (this.#core.ready) topic.join();
  }
  /** The answers are `$ws:subscribed` and `$ws:unsubscribed`. */
  #request(type, topic, done) {
    this.#requests.control(type, `${type}d`, { topic }, done);
  }
};

// src/wire/wire.ts
var Wire = class {
  #settings;
  #report;
  constructor(settings2, report) {
    this.#settings = settings2;
    this.#report = report;
  }
  /** Encodes a message with a timestamp. Codecs leave out an `undefined` payload. */
  write(type, meta, payload) {
    const { codec, clock } = this.#settings;
    return codec.encode({ type, meta: { ...meta, timestamp: clock.now() }, payload });
  }
  /** Encodes a control message, without a timestamp. */
  control(type, correlationId) {
    return this.#settings.codec.encode({ type, meta: { correlationId } });
  }
  /** Decodes a frame. Reports malformed ones, and returns `undefined`. */
  read(frame) {
    let error = new TypeError("not a message");
    try {
      const message = open(this.#settings.codec.decode(frame));
      if (message) return message;
    } catch (cause) {
      error = cause;
    }
    this.#report(error, { source: "parse" });
    return void 0;
  }
};

// src/session.ts
var Session = class {
  settings;
  wire;
  queue;
  requests;
  calls;
  topics;
  connection;
  report = (error, context) => {
    if (this.errors.size > 0) this.errors.emit([error, context]);
    else reportUncaught(error);
  };
  thrown = (error) => this.report(error, { source: "listener" });
  messages = new Emitter((error, { type }) => this.report(error, { source: "listener", type }));
  states = new Emitter(this.thrown);
  gaps = new Emitter(this.thrown);
  errors = new Emitter(reportUncaught);
  current = { status: "idle" };
  hello;
  ready = false;
  /** Set before listeners are called, so that their sends are refused. */
  closed = false;
  #contract;
  #isReported = false;
  constructor(url, route, options) {
    this.#contract = route.contract;
    this.settings = settings(options);
    this.wire = new Wire(this.settings, this.report);
    this.queue = new Queue(this.settings.queue);
    this.requests = new Requests(this);
    this.calls = new Calls(route.calls, this);
    this.topics = new Topics(route.topics, this, this.requests);
    this.connection = new Connection(url, this, this);
  }
  submit(item) {
    const { bytes } = item;
    const { buffered } = this.connection;
    if (this.closed) return closed();
    if (!this.#fits(bytes)) return tooLarge(bytes);
    if (this.queue.size === 0 && this.queue.fits(bytes, buffered) && this.#put(item)) return void 0;
    if (this.queue.push(item, buffered)) return void 0;
    const isOff = this.settings.queue.policy === "off" && !this.ready;
    return isOff ? new StateError("not_connected", "not connected") : queueFull();
  }
  write(frame) {
    return this.#fits(byteLength(frame)) && this.connection.write(frame);
  }
  forget(item) {
    this.queue.remove(item);
  }
  /** Runs the option `validate`. */
  invalid(type, payload, direction) {
    const issues = this.settings.validate?.(type, payload, direction);
    return issues?.length ? new ValidationError(issues, `${type} is not valid`) : void 0;
  }
  state(state) {
    this.current = state;
    this.states.emit(state);
  }
  opened(hello, token) {
    this.hello = hello;
    if (token !== void 0) this.#sendToken(token);
    this.ready = true;
    this.topics.opened();
    this.queue.flush((item) => {
      if (this.#fits(item.bytes)) return this.#put(item);
      item.dropped(tooLarge(item.bytes));
      return true;
    });
    this.#checkContract(hello?.contract);
  }
  draining() {
    this.ready = false;
  }
  received(message) {
    const { type, payload } = message;
    if (this.requests.received(message) || this.calls.received(message)) return;
    if (type === "ERROR" || type === "RPC_ERROR") {
      return this.report(readError(payload, correlationOf(message)), { source: "server" });
    }
    if (type === "$ws:gap") return this.gaps.emit(payload);
    if (/^(\$ws:|__)/.test(type)) return;
    const invalid = this.invalid(type, payload, "receive");
    if (invalid) return this.report(invalid, { source: "validation", type });
    this.messages.emit(message);
    this.topics.received(message);
  }
  lost({ code }, terminal) {
    this.ready = false;
    this.closed = terminal;
    this.hello = void 0;
    this.calls.lost();
    this.queue.restore(this.requests.lost(code, terminal));
    this.topics.lost(terminal);
    if (!terminal) return;
    this.queue.flush((item) => {
      item.dropped(closed());
      return true;
    });
  }
  refresh(token, done) {
    if (!this.hello) {
      this.#sendToken(token);
      return done(void 0);
    }
    this.requests.control("$ws:refresh", "$ws:refreshed", { token }, (error, payload) => {
      const { expiresInMs } = fields(payload);
      done(error, typeof expiresInMs === "number" ? expiresInMs : void 0);
    });
  }
  /** Whether it was written. */
  #put(item) {
    const isWritten = this.ready && this.connection.write(item.frame);
    if (isWritten) item.sent();
    return isWritten;
  }
  #fits(bytes) {
    return bytes <= (this.hello?.maxMessageBytes ?? Infinity);
  }
  /** Sends the token as a message, if `tokenIn` says so. */
  #sendToken(token) {
    const { tokenIn } = this.settings;
    if (typeof tokenIn === "object" && "message" in tokenIn)
      this.write(this.wire.write(tokenIn.message, {}, { token }));
  }
  #checkContract(actual) {
    const expected = this.#contract;
    if (this.#isReported || !actual || actual === expected) return;
    this.#isReported = true;
    try {
      this.settings.onContractMismatch({ expected, actual });
    } catch (error) {
      this.thrown(error);
    }
  }
};
function tooLarge(bytes) {
  return new StateError("too_large", `${bytes} bytes are more than the server takes`);
}

// src/stream.ts
var MAX_BUFFERED = 1e3;
var Stream = class {
  #buffer = [];
  #waiters = [];
  #ended = false;
  #error;
  /** Stops the flow of messages. */
  #release;
  /** @internal */
  constructor(attach) {
    this.#release = attach(this);
  }
  /** @internal */
  push(value) {
    const waiter = this.#waiters.shift();
    if (waiter) waiter({ done: false, value });
    else if (this.#buffer.length < MAX_BUFFERED) this.#buffer.push(value);
    else this.end(new StateError("overflow", "the loop is too slow"));
  }
  /** Ends the loop after the messages that wait, with an error if one is given. @internal */
  end(error) {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#release?.();
    for (const waiter of this.#waiters) waiter(this.#last());
  }
  next() {
    return new Promise((resolve) => {
      if (this.#buffer.length > 0) resolve({ done: false, value: this.#buffer.shift() });
      else if (this.#ended) resolve(this.#last());
      else this.#waiters.push(resolve);
    });
  }
  /** Called when the loop is left. */
  async return() {
    this.end();
    this.#buffer.length = 0;
    this.#error = void 0;
    return this.#last();
  }
  [Symbol.asyncIterator]() {
    return this;
  }
  /** The error, once; then the end. */
  #last() {
    const error = this.#error;
    this.#error = void 0;
    return error ? Promise.reject(error) : { done: true, value: void 0 };
  }
};
function streamOf(messages, states, closed2, filter) {
  const stream = new Stream((stream2) => {
    const offs = [
      messages.add((message) => {
        if (filter(message)) stream2.push(message);
      }),
      states.add(({ status }) => {
        if (status === "closed") stream2.end();
      })
    ];
    return () => {
      for (const off of offs) off();
    };
  });
  if (closed2) stream.end();
  return stream;
}

// src/topic/subscription.ts
var Subscription = class {
  #topic;
  #messages;
  #states;
  #released;
  #offs;
  #state;
  /** @internal */
  constructor(topic, core, released, filter) {
    this.#topic = topic;
    this.#released = released;
    this.#messages = new Emitter(core.thrown);
    this.#states = new Emitter(core.thrown);
    this.#state = topic.state;
    this.#offs = [
      topic.states.add((state) => this.#changed(state)),
      topic.messages.add((message) => {
        if (filter(message)) this.#messages.emit(message);
      })
    ];
  }
  get topic() {
    return this.#topic.name;
  }
  get state() {
    return this.#state;
  }
  /** Calls the listener with each message of one type. */
  on(type, listener) {
    return this.#messages.add((message) => {
      if (message.type === type) listener(message.payload, message);
    });
  }
  /** Calls the listener with each message of the topic. */
  onMessage(listener) {
    return this.#messages.add(listener);
  }
  /** Calls the listener when the state changes. */
  onState(listener) {
    return this.#states.add(listener);
  }
  /** Waits until the topic is joined. Rejects if the server refuses or the handle is closed. */
  ready() {
    return new Promise((resolve, reject) => {
      const check = (state) => {
        if (state.status === "joined") resolve();
        else if (state.status === "failed") reject(state.error);
        else if (state.status === "closed") reject(closed());
        else return;
        off();
      };
      const off = this.#states.add(check);
      check(this.state);
    });
  }
  /** Returns an async iterator over the topic's messages, until the handle is closed. */
  [Symbol.asyncIterator]() {
    return streamOf(this.#messages, this.#states, this.state.status === "closed", () => true);
  }
  close() {
    this.#changed({ status: "closed" });
    this.#released();
  }
  #changed(state) {
    if (this.#state.status === "closed") return;
    this.#state = state;
    this.#states.emit(state);
    if (state.status === "closed") for (const off of this.#offs) off();
  }
};

// src/client.ts
function connect(url, route, options = {}) {
  return new Client(url, route, options);
}
var Client = class {
  #session;
  #requests;
  /** @internal */
  constructor(url, route, options) {
    this.#requests = route.requests;
    this.#session = new Session(url, route, options);
    const { autoConnect, onError } = options;
    if (onError) this.onError(onError);
    if (autoConnect ?? true) this.connect();
  }
  get state() {
    return this.#session.current;
  }
  get isConnected() {
    return this.state.status === "open";
  }
  /** The round trip of the last heartbeat in milliseconds. */
  get latency() {
    return this.#session.connection.latency;
  }
  /** Requests without an answer yet, and messages that wait for a connection. */
  get pending() {
    const { requests, queue } = this.#session;
    return { requests: requests.size, queued: queue.size };
  }
  /** Connects now: after `close()`, without `autoConnect`, or instead of waiting for the next attempt. */
  connect() {
    this.#session.closed = false;
    this.#session.connection.start();
  }
  /** Closes the client. No timer or page listener remains. */
  close(code = 1e3, reason = "") {
    this.#session.connection.close(code, reason);
  }
  /** Sends or queues an event. Returns whether it was accepted. */
  send(type, ...args) {
    const [payload, options] = args;
    const session = this.#session;
    const dropped = (error2, source = "dropped") => {
      session.report(error2, { source, type });
      return false;
    };
    let error = session.invalid(type, payload, "send");
    let frame = "";
    try {
      frame = session.wire.write(type, options?.meta, payload);
    } catch (cause) {
      error = cause;
    }
    if (error) return dropped(error, "validation");
    if (options?.queue === false && !session.ready) return false;
    const refused = session.submit({ frame, bytes: byteLength(frame), sent() {
    }, dropped });
    return refused?.reason === "too_large" ? dropped(refused) : !refused;
  }
  /** Sends a request and waits for its answer. */
  request(type, ...args) {
    const [payload, options = {}] = args;
    const session = this.#session;
    return new Promise((resolve, reject) => {
      const invalid = session.invalid(type, payload, "send");
      if (invalid) return reject(invalid);
      const response = this.#requests[type];
      session.requests.start(type, response, payload, options, (error, payload2) => {
        const failed = error ?? session.invalid(response, payload2, "receive");
        if (failed) reject(failed);
        else resolve(payload2);
      });
    });
  }
  /** Returns whether an error is a `ServerError`, and narrows its code to those of the request. */
  isServerError(_type, error) {
    return error instanceof ServerError;
  }
  /** Calls the listener with each event of one type. */
  on(type, listener) {
    return this.#session.messages.add((message) => {
      if (message.type === type) listener(message.payload, message);
    });
  }
  /** Calls the listener with every event. `switch (message.type)` narrows it. */
  onMessage(listener) {
    return this.#session.messages.add(listener);
  }
  /** Waits for the next event of one type. */
  async once(type, { signal } = {}) {
    const stream = this.messages(type);
    const abort = () => stream.end(aborted());
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    try {
      const { done, value } = await stream.next();
      if (done) throw closed();
      return value.payload;
    } finally {
      stream.end();
      signal?.removeEventListener("abort", abort);
    }
  }
  /** Returns an async iterator over events of some types, or of all. */
  messages(...types) {
    const { messages, states, closed: closed2 } = this.#session;
    return streamOf(messages, states, closed2, ({ type }) => types.length === 0 || types.includes(type));
  }
  [Symbol.asyncIterator]() {
    return this.messages();
  }
  /** Answers the server's requests of one type. A thrown `ServerError` is sent as the answer. */
  handle(type, handler) {
    return this.#session.calls.handle(type, handler);
  }
  /** Subscribes to a topic. Reconnects join it again. */
  subscribe(name, options = {}) {
    const session = this.#session;
    if (session.closed) throw closed();
    const topic = session.topics.get(name);
    return new Subscription(topic, session, () => session.topics.released(topic), options.filter ?? (() => true));
  }
  /** Calls the listener when the state changes. */
  onState(listener) {
    return this.#session.states.add(listener);
  }
  /** Calls the listener with errors that belong to no promise. */
  onError(listener) {
    return this.#session.errors.add((error) => listener(...error));
  }
  /** Calls the listener when the server has dropped messages of a topic. */
  onGap(listener) {
    return this.#session.gaps.add(listener);
  }
};
export {
  ConnectionClosedError,
  ServerError,
  StateError,
  SwitchboardError,
  TimeoutError,
  ValidationError,
  connect
};
