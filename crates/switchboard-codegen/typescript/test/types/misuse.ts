// Each line after an `@ts-expect-error` must not compile; all others must. Checked by `tsc --strict` with two versions.
import type { Client, ServerError } from "switchboard-client";
import { connect } from "switchboard-client";
import { useMessage, useRequest, useTopic } from "switchboard-client/react";
import { msgpack } from "switchboard-client/msgpack";
import type { ChatApi, ServerMessage, Sum, UserJoined } from "../support/chat.js";
import { chat } from "../support/chat.js";

const client: Client<ChatApi> = connect("/ws", chat, { codec: msgpack, tokenIn: { query: "token" }, token: () => "t" });
declare const id: string;

// Events.
const taken: boolean = client.send("JOIN_ROOM", { roomId: "1" });
client.send("PING");
client.send("PING", undefined, { meta: {} });
client.send("NOTE", { text: "hi" }, { meta: { roomId: "1" } });
// @ts-expect-error no such type
client.send("JOIN_ROM", { roomId: "1" });
// @ts-expect-error the payload is missing
client.send("JOIN_ROOM");
// @ts-expect-error a key is missing
client.send("JOIN_ROOM", {});
// @ts-expect-error a key has another type
client.send("JOIN_ROOM", { roomId: 1 });
// @ts-expect-error an unknown key
client.send("JOIN_ROOM", { roomId: "1", room: "2" });
// @ts-expect-error PING has no payload
client.send("PING", { text: "x" });
// @ts-expect-error a request is no event
client.send("ADD", { a: 1, b: 2 });
// @ts-expect-error the server's message
client.send("USER_JOINED", { username: "ann", userCount: 1 });
// @ts-expect-error NOTE declares meta
client.send("NOTE", { text: "hi" });
// @ts-expect-error and not this one
client.send("NOTE", { text: "hi" }, { meta: { room: "1" } });

// Requests.
const sum: Promise<Sum> = client.request("ADD", { a: 1, b: 2 }, { onProgress: ({ n }) => n.toFixed(), timeoutMs: 1 });
const who: Promise<UserJoined> = client.request("WHOAMI");
client.request("WHOAMI", undefined, { idempotencyKey: "k", signal: new AbortController().signal });
// @ts-expect-error no such request
client.request("ADDITION", { a: 1, b: 2 });
// @ts-expect-error the payload is missing
client.request("ADD");
// @ts-expect-error a key has another type
client.request("ADD", { a: 1, b: "2" });
// @ts-expect-error no such option
client.request("ADD", { a: 1, b: 2 }, { timeout: 5 });
// @ts-expect-error the response is a Sum
const wrong: Promise<UserJoined> = client.request("ADD", { a: 1, b: 2 });
// @ts-expect-error the progress has no total
client.request("ADD", { a: 1, b: 2 }, { onProgress: ({ total }) => total });
// @ts-expect-error WHOAMI has no progress
client.request("WHOAMI", undefined, { onProgress: (step: { n: number }) => step });
// @ts-expect-error an event is no request
client.request("PING");

async function errors(): Promise<void> {
  try {
    await sum;
  } catch (error) {
    if (!client.isServerError("ADD", error)) throw error;
    const known: ServerError = error;
    if (error.code === "SOLD_OUT" || error.code === "UNAVAILABLE") console.log(known.details);
    // @ts-expect-error ADD has no such code
    if (error.code === "SOLD_UOT") return;
  }
}

// Events of the server.
client.on("USER_JOINED", ({ username, userCount }, { type, meta }) => [
  username.length,
  userCount,
  type,
  meta.timestamp,
]);
client.on("PONG", () => {});
client.onMessage((message) => {
  switch (message.type) {
    case "USER_JOINED":
      return message.payload.userCount;
    case "CHAT_MESSAGE":
      return message.payload.text;
    case "PONG":
      return message.payload;
    // @ts-expect-error no such type
    case "USER_LEFT":
      return undefined;
  }
});
const narrow = (message: ServerMessage): string =>
  message.type === "CHAT_MESSAGE" ? message.payload.text : message.type;
const next: Promise<UserJoined> = client.once("USER_JOINED");
// @ts-expect-error no such event
client.on("USER_LEFT", () => {});
// @ts-expect-error the client's own message
client.on("JOIN_ROOM", () => {});
// @ts-expect-error no such key
client.on("USER_JOINED", ({ name }) => name);
// @ts-expect-error another payload
client.on("USER_JOINED", (payload: { text: string }) => payload);

// Requests of the server.
client.handle("CONFIRM", ({ question }, { signal }) => ({ yes: question === "" || signal.aborted }));
client.handle("CONFIRM", async () => ({ yes: true }));
// @ts-expect-error no such call
client.handle("CONFIRMED", () => ({ yes: true }));
// @ts-expect-error the answer has another type
client.handle("CONFIRM", () => ({ yes: "no" }));
// @ts-expect-error there is no answer
client.handle("CONFIRM", () => {});

// Topics.
const room = client.subscribe(`room:${id}`);
room.on("CHAT_MESSAGE", ({ text }) => text);
const fixed = client.subscribe("room:1", { filter: (message) => message.type === "USER_JOINED" });
const lobby = client.subscribe("lobby");
lobby.on("USER_JOINED", ({ username }) => username);
// @ts-expect-error no such topic
client.subscribe("rom:1");
// @ts-expect-error any string is no topic
client.subscribe(id);
// @ts-expect-error the lobby has no chat
lobby.on("CHAT_MESSAGE", () => {});

async function loops(): Promise<void> {
  for await (const message of room) if (message.type === "CHAT_MESSAGE") console.log(message.payload.text);
  for await (const message of lobby) console.log(message.payload.username);
  for await (const { payload } of client.messages("USER_JOINED")) console.log(payload.username);
  // @ts-expect-error PONG has no payload
  for await (const message of client.messages("PONG")) console.log(message.payload.text);
}

// State and options.
client.onState((state) => {
  if (state.status === "closed") console.log(state.reason, state.code, state.terminal);
  // @ts-expect-error an idle client has no reason
  if (state.status === "idle") console.log(state.reason);
  // @ts-expect-error no such state
  if (state.status === "opened") return;
});
// @ts-expect-error no such option
connect("/ws", chat, { reconnects: 5 });
// @ts-expect-error no such policy
connect("/ws", chat, { queue: { policy: "drop" } });

// React.
export function Component(): void {
  const { run } = useRequest(client, "ADD");
  void run({ a: 1, b: 2 });
  useMessage(client, "USER_JOINED", ({ username }) => username);
  useTopic(client, "lobby", ({ payload }) => payload.username);
  useTopic(client, id === "" ? null : `room:${id}`, ({ type }) => type);
  // @ts-expect-error no such request
  useRequest(client, "ADDITION");
  // @ts-expect-error the payload is missing
  void run();
  // @ts-expect-error no such event
  useMessage(client, "USER_LEFT", () => {});
  // @ts-expect-error no such topic
  useTopic(client, "room", () => {});
}

export { errors, fixed, loops, narrow, next, taken, who, wrong };
