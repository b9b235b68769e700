import assert from "node:assert/strict";
import { test } from "node:test";
import { useConnection, useMessage, useRequest, useTopic } from "switchboard-client/react";
import type { UseRequest } from "switchboard-client/react";
import type { ReactElement } from "react";
import { renderToString } from "react-dom/server";
import type { ChatApi } from "../support/chat.js";
import { settle } from "../support/clock.js";
import type { Harness } from "../support/harness.js";
import { harness } from "../support/harness.js";
import { act, mount } from "./dom.js";

test("useConnection shows the state; many components share one socket", async () => {
  const { client, network, open } = harness();
  const Status = (): ReactElement => <i>{useConnection(client).status} </i>;
  const page = await mount([1, 2, 3].map((key) => <Status key={key} />));
  assert.equal(page.text(), "connecting connecting connecting ");
  await act(async () => void (await open()));
  assert.equal(page.text(), "open open open ");
  await act(async () => network.socket.end(4503));
  assert.equal(page.text(), "closed closed closed ");
  assert.equal(network.sockets.length, 1);
  await page.unmount();
});

test("useMessage calls the listener of the last render, and none after the unmount", async () => {
  const { client, open } = harness();
  const socket = await open();
  const seen: string[] = [];
  const Log = ({ name }: { name: string }): null => {
    useMessage(client, "USER_JOINED", ({ username }) => seen.push(`${name} ${username}`));
    return null;
  };
  const page = await mount(<Log name="first" />);
  socket.message("USER_JOINED", { username: "ann" });
  await page.render(<Log name="second" />);
  socket.message("USER_JOINED", { username: "bob" });
  await page.unmount();
  socket.message("USER_JOINED", { username: "cid" });
  assert.deepEqual(seen, ["first ann", "second bob"]);
  client.close();
});

// COMPLAINTS 9
test("useTopic joins once in StrictMode for many components, and leaves with the last", async () => {
  const { client, open } = harness();
  const socket = await open();
  const seen: string[] = [];
  const Room = ({ topic }: { topic: `room:${string}` | null }): ReactElement => {
    const { status } = useTopic(client, topic, (message) => {
      if (message.type === "CHAT_MESSAGE") seen.push(message.payload.text);
    });
    return <i>{status} </i>;
  };
  const page = await mount([<Room key="a" topic="room:1" />, <Room key="b" topic="room:1" />]);
  assert.equal(page.text(), "joining joining ");
  assert.deepEqual(socket.types, ["$ws:subscribe"]);
  await act(async () => socket.answer("$ws:subscribe", "$ws:subscribed"));
  assert.equal(page.text(), "joined joined ");
  socket.message("CHAT_MESSAGE", { roomId: "1", text: "hi" });
  assert.deepEqual(seen, ["hi", "hi"]);
  await page.render([<Room key="a" topic="room:1" />, <Room key="b" topic="room:2" />]);
  assert.equal(page.text(), "joined joining ");
  await page.render([<Room key="a" topic={null} />, <Room key="b" topic="room:2" />]);
  assert.equal(page.text(), "pending joining ");
  await page.unmount();
  await settle();
  const expected = ["$ws:subscribe", "$ws:subscribe", "$ws:unsubscribe", "$ws:unsubscribe"];
  assert.deepEqual(socket.types, expected);
  assert.equal(client.pending.requests, 3);
  client.close();
});

test("useTopic of a closed client is closed", async () => {
  const { client } = harness();
  client.close();
  const Lobby = (): ReactElement => <i>{useTopic(client, "lobby", () => {}).status}</i>;
  const page = await mount(<Lobby />);
  assert.equal(page.text(), "closed");
  await page.unmount();
});

/** A component that shows its request, and lets the test run it. */
function adder({ client }: Harness): { Adder: () => ReactElement; request: () => UseRequest<ChatApi, "ADD"> } {
  let latest: UseRequest<ChatApi, "ADD"> | undefined;
  const Adder = (): ReactElement => {
    const request = useRequest(client, "ADD");
    latest = request;
    const { status } = request;
    if (status === "running") return <i>running {request.progress?.n}</i>;
    if (status === "done") return <i>done {request.data.result}</i>;
    return <i>{status === "failed" ? `failed ${(request.error as Error).message}` : status}</i>;
  };
  return { Adder, request: () => latest as UseRequest<ChatApi, "ADD"> };
}

test("useRequest shows progress, the answer and errors", async () => {
  const made = harness();
  const socket = await made.open();
  const { Adder, request } = adder(made);
  const page = await mount(<Adder />);
  assert.equal(page.text(), "idle");
  let answer: Promise<unknown> | undefined;
  await act(async () => void (answer = request().run({ a: 1, b: 2 })));
  assert.equal(page.text(), "running ");
  const meta = { correlationId: socket.last("ADD").meta["correlationId"] };
  await act(async () => socket.message("$ws:rpc-progress", { n: 7 }, meta));
  assert.equal(page.text(), "running 7");
  await act(async () => socket.answer("ADD", "SUM", { result: 3 }));
  assert.equal(page.text(), "done 3");
  assert.deepEqual(await answer, { result: 3 });
  await act(
    async () =>
      void request()
        .run({ a: 1, b: 2 })
        .catch(() => {}),
  );
  await act(async () => socket.refuse("ADD", { code: "SOLD_OUT", message: "none left" }));
  assert.equal(page.text(), "failed none left");
  await page.unmount();
  made.client.close();
});

test("useRequest aborts replaced requests, and the running one on unmount", async () => {
  const made = harness();
  const socket = await made.open();
  const { Adder, request } = adder(made);
  const page = await mount(<Adder />);
  const outcomes: string[] = [];
  const run = async (): Promise<void> => {
    const answer = request().run({ a: 1, b: 2 });
    answer.then(
      () => outcomes.push("done"),
      (error: Error) => outcomes.push(error.message),
    );
  };
  await act(run);
  await act(run);
  assert.deepEqual(outcomes, ["aborted"]);
  assert.equal(page.text(), "running ");
  await act(async () => socket.answer("ADD", "SUM", { result: 5 }));
  assert.equal(page.text(), "done 5");
  await act(run);
  await act(async () => request().abort());
  assert.equal(page.text(), "failed aborted");
  await act(run);
  await page.unmount();
  await settle();
  assert.deepEqual(outcomes, ["aborted", "done", "aborted", "aborted"]);
  assert.equal(socket.types.filter((type) => type === "$ws:abort").length, 3);
  made.client.close();
});

test("server-side rendering shows the initial state", () => {
  const { client } = harness();
  const Page = (): ReactElement => (
    <i>
      {useConnection(client).status} {useTopic(client, "lobby", () => {}).status} {useRequest(client, "ADD").status}
    </i>
  );
  assert.match(renderToString(<Page />), /idle.*pending.*idle/);
  client.close();
});
