// Runs in a browser, and posts what it found out.
import type { Client, ConnectionState, Options } from "switchboard-client";
import { connect } from "switchboard-client";
import { msgpack } from "switchboard-client/msgpack";
import type { ConformanceApi } from "../support/api.js";
import { conformance } from "../support/api.js";

declare function fetch(url: string, init: { method: string; body: string }): Promise<unknown>;

const client = (path: string, options: Options = {}): Client<ConformanceApi> =>
  connect(path, conformance, { onContractMismatch: () => {}, ...options });

const closed = (client: Client<ConformanceApi>): Promise<[number | undefined, boolean]> =>
  new Promise((resolve) => {
    const check = (state: ConnectionState): void => {
      if (state.status === "closed") resolve([state.code, state.terminal]);
    };
    client.onState(check);
    check(client.state);
  });

async function find(): Promise<object> {
  const first = client("/ws");
  const sum = await first.request("ADD", { a: 1, b: 2 });
  const dialect = first.state.status === "open" ? first.state.dialect : "none";
  const packed = await client("/ws", { codec: msgpack }).request("ADD", { a: 1, b: 2 });
  const plain = await client("/ws", { dialect: "plain" }).request("ADD", { a: 1, b: 2 });
  const { user } = await client("/secure", { token: () => "alice" }).request("WHOAMI", {});
  const tokenIn = { query: "access_token" };
  const { user: queried } = await client("/secure", { token: async () => "alice", tokenIn }).request("WHOAMI", {});
  const refused = await closed(client("/secure-close", { token: () => "nobody" }));
  const victim = client("/ws");
  const { clientId } = await victim.request("WHOAMI", {});
  await first.request("KICK", { clientId });
  const kicked = await closed(victim);
  first.close();
  first.connect();
  await first.request("ADD", { a: 1, b: 2 });
  return { dialect, sum, packed, user, queried, plain, refused, kicked, planned: first.state.status };
}

find().then(
  (found) => fetch("/", { method: "POST", body: JSON.stringify(found) }),
  (error: unknown) => fetch("/", { method: "POST", body: JSON.stringify({ error: String(error) }) }),
);
