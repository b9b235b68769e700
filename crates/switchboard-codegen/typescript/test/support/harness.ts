import type { Client, ConnectionState, ErrorContext, Options } from "switchboard-client";
import { connect } from "switchboard-client";
import type { ChatApi } from "./chat.js";
import { chat } from "./chat.js";
import { FakeClock, settle } from "./clock.js";
import type { FakeSocket } from "./network.js";
import { FakeNetwork } from "./network.js";
import { FakePage } from "./page.js";

export interface Harness {
  readonly clock: FakeClock;
  readonly page: FakePage;
  readonly network: FakeNetwork;
  readonly client: Client<ChatApi>;
  readonly states: ConnectionState[];
  readonly errors: [unknown, ErrorContext][];
  /** Opens the newest socket. */
  open(hello?: object): Promise<FakeSocket>;
}

/** A client whose time, page and network are the test's. */
export function harness(options: Options = {}): Harness {
  const clock = new FakeClock();
  const page = new FakePage();
  const network = new FakeNetwork();
  const errors: [unknown, ErrorContext][] = [];
  const states: ConnectionState[] = [];
  const client = connect("ws://test/ws", chat, {
    clock,
    page,
    WebSocket: network.WebSocket,
    onContractMismatch: () => {},
    onError: (error, context) => errors.push([error, context]),
    ...options,
  });
  client.onState((state) => states.push(state));
  const open = async (hello?: object): Promise<FakeSocket> => {
    await settle();
    network.socket.accept(hello);
    await settle();
    return network.socket;
  };
  return { clock, page, network, client, states, errors, open };
}

/** The state, read anew: the compiler would keep what an earlier line has narrowed. */
export function stateOf(client: Client<ChatApi>): {
  status: string;
  reason?: string;
  code?: number | undefined;
  retryInMs?: number;
} {
  return client.state;
}

/** How a promise stands: its value, its error or "pending". */
export async function outcome(promise: Promise<unknown>): Promise<unknown> {
  const settled = promise.catch((error: unknown) => error);
  await settle();
  return Promise.race([settled, settle().then(() => "pending")]);
}
