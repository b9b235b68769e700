// The page: each card sends one type of request with the generated client.

import { card } from "./card.js";
import { rpc } from "./client/rpc.js";
import { connect } from "./client/switchboard-client.js";

/** @type {(id: string) => any} */
const $ = (id) => document.getElementById(id);

const client = connect("/ws", rpc);

// ---- requests ---------------------------------------------------------------------------------

card("calculate", async ({ a, operation, b }, signal) => {
  const { result } = await client.request("CALCULATE", { operation, a: Number(a), b: Number(b) }, { signal });
  return `${result}`;
});

card("fetch", async ({ userId }, signal) => {
  const { name, email } = await client.request("FETCH_PROFILE", { userId }, { signal });
  return `${name}, ${email}`;
});

card("export", async (_, signal, show) => {
  const bar = $("exported");
  bar.value = 0;
  const onProgress = ({ done, total }) => {
    bar.max = total;
    bar.value = done;
    show(`${done} of ${total}`);
  };
  const { names } = await client.request("EXPORT_PROFILES", {}, { signal, onProgress });
  return names.join(", ");
});

card("delete", async ({ userId }, signal) => {
  await client.request("DELETE_PROFILE", { userId }, { signal });
  return `The profile of ${userId} is deleted`;
});

card("search", async ({ text, timeoutMs }, signal) => {
  const { pages, complete } = await client.request("SEARCH", { text }, { signal, timeoutMs: Number(timeoutMs) });
  return complete ? `All ${pages} pages` : `${pages} pages in time`;
});

card("wait", async ({ ms }, signal) => {
  const waited = await client.request("WAIT", { ms: Number(ms) }, { signal, timeoutMs: 70_000 });
  return `Waited ${waited.ms} ms`;
});

card("primes", async ({ below }, signal) => {
  try {
    const { count } = await client.request("COUNT_PRIMES", { below: Number(below) }, { signal, timeoutMs: 120_000 });
    return `${count} primes`;
  } finally {
    // The thread notices an abort a moment later.
    setTimeout(showWork, 300);
  }
});

card("deposit", async ({ amount, key }, signal) => {
  const payload = { accountId: "ann", amount: Number(amount) };
  const { balance } = await client.request("DEPOSIT", payload, { signal, idempotencyKey: key });
  return `The balance is ${balance}`;
});

async function showWork() {
  try {
    const { running, abandoned } = await client.request("WORK", {});
    $("running").textContent = running;
    $("abandoned").textContent = abandoned;
  } catch {
    // The counts stay as they are without a connection.
  }
}

// ---- the server asks --------------------------------------------------------------------------

client.handle("CONFIRM", ({ question }, { signal }) => new Promise((resolve) => {
  $("question-text").textContent = question;
  $("question").hidden = false;
  $("no").focus();
  const answer = (yes) => {
    $("question").hidden = true;
    resolve({ yes });
  };
  $("yes").onclick = () => answer(true);
  $("no").onclick = () => answer(false);
  // The server no longer waits.
  signal.addEventListener("abort", () => answer(false));
}));

// ---- the connection ---------------------------------------------------------------------------

const TEXT = { idle: "Not connected", connecting: "Connecting…", open: "Connected", waiting: "Reconnecting…", closed: "Closed" };

client.onState(({ status }) => {
  $("connection").dataset.status = status;
  $("status").textContent = TEXT[status];
  $("connect").hidden = status !== "waiting" && status !== "closed";
});
$("connect").addEventListener("click", () => client.connect());
