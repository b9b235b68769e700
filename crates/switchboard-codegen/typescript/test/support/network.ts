import type { SocketLike } from "switchboard-client";

export interface Sent {
  readonly type: string;
  readonly meta: Record<string, unknown>;
  readonly payload?: unknown;
}

const HEARTBEAT = JSON.stringify({ type: "__heartbeat", meta: {} });

/** A socket whose server is the test. */
export class FakeSocket implements SocketLike {
  binaryType = "blob";
  bufferedAmount = 0;
  protocol = "";
  readyState = 0;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  /** All frames of the client. */
  readonly frames: (string | Uint8Array)[] = [];
  answersHeartbeats = true;
  /** How the client closed it. */
  closedWith: [code: number | undefined, reason: string | undefined] | undefined;

  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {}

  send(data: string | Uint8Array): void {
    if (this.readyState !== 1) throw new Error("the socket is not open");
    this.frames.push(data);
    if (this.answersHeartbeats && data === HEARTBEAT) queueMicrotask(() => this.message("__heartbeat_ack"));
  }

  close(code?: number, reason?: string): void {
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) throw new Error(`no code ${code}`);
    this.closedWith ??= [code, reason];
    this.readyState = 2;
  }

  /** The messages of the client, without heartbeats. */
  get sent(): Sent[] {
    return this.all.filter(({ type }) => type !== "__heartbeat");
  }

  get all(): Sent[] {
    return this.frames.map((frame) => JSON.parse(frame as string) as Sent);
  }

  get types(): string[] {
    return this.sent.map(({ type }) => type);
  }

  get heartbeats(): number {
    return this.all.length - this.sent.length;
  }

  /** The newest message of a type. */
  last(type: string): Sent {
    const found = this.sent.filter((message) => message.type === type).at(-1);
    if (!found) throw new Error(`no ${type} was sent, but ${this.types.join(", ")}`);
    return found;
  }

  /** The server accepts: with a hello, or `null` for the plain dialect. */
  accept(hello: object | null = {}, protocol = this.protocols[0]): void {
    this.protocol = hello ? (protocol ?? "") : "";
    this.readyState = 1;
    this.onopen?.({} as never);
    if (hello) this.message("$ws:hello", { clientId: "c-1", heartbeatMs: 25_000, limits: {}, ...hello });
  }

  message(type: string, payload?: unknown, meta: object = {}): void {
    this.raw(JSON.stringify({ type, meta: { timestamp: 1, ...meta }, payload }));
  }

  raw(data: unknown): void {
    this.onmessage?.({ data } as never);
  }

  /** Answers the newest request of a type. */
  answer(type: string, response: string, payload?: unknown): void {
    this.message(response, payload, { correlationId: this.last(type).meta["correlationId"] });
  }

  refuse(type: string, error: object): void {
    this.answer(type, "RPC_ERROR", error);
  }

  end(code = 1006, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason } as never);
  }
}

/** All sockets that a client opened. */
export class FakeNetwork {
  readonly sockets: FakeSocket[] = [];
  answersHeartbeats = true;
  readonly WebSocket: new (url: string, protocols: string[]) => FakeSocket;

  constructor() {
    const network = this;
    this.WebSocket = class extends FakeSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        this.answersHeartbeats = network.answersHeartbeats;
        network.sockets.push(this);
      }
    };
  }

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  }

  /** How many sockets are neither closed nor given up. */
  get live(): number {
    return this.sockets.filter(({ readyState }) => readyState < 2).length;
  }
}
