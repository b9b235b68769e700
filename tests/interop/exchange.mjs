// What clients with the interface of browsers do: Node's `ws`, and Chromium.

// How long anything is waited for. Shorter than the time after which `ws` drops a connection that the server does not.
const PATIENCE = 10_000;

// The next event of this name; an error if the connection ends before.
export function next(ws, name) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => end(reject, new Error(`no ${name} in time`)), PATIENCE);
    const arrived = (event) => end(resolve, event);
    const closed = (event) => end(reject, new Error(`closed with ${event.code} before ${name}`));
    function end(how, value) {
      clearTimeout(timer);
      ws.removeEventListener(name, arrived);
      ws.removeEventListener("close", closed);
      how(value);
    }
    ws.addEventListener(name, arrived);
    // Behind the other: what comes first settles the promise, also where both are for `close`.
    ws.addEventListener("close", closed);
  });
}

export async function connect(WebSocket, url) {
  const ws = new WebSocket(url);
  ws.binaryType = "arraybuffer";
  // What is wrong, the event does not say; the event `close` follows.
  ws.addEventListener("error", () => {});
  await next(ws, "open");
  return ws;
}

// Sends a message; what came back.
export async function echo(ws, data) {
  const answer = next(ws, "message");
  ws.send(data);
  return (await answer).data;
}

// Sends each message and closes with each code; what was seen of it.
export async function exchange(WebSocket, url, plan) {
  const seen = { echoes: [], closes: [] };
  const ws = await connect(WebSocket, url);
  for (const message of plan.messages) {
    const sent = whole(message);
    const received = await echo(ws, sent);
    seen.echoes.push({
      kind: typeof received === "string" ? "text" : "binary",
      bytes: bytes(received).length,
      same: typeof received === typeof sent && isSame(bytes(received), bytes(sent)),
    });
  }
  ws.close();
  await next(ws, "close");

  for (const { code, reason } of plan.closes) {
    const ws = await connect(WebSocket, url);
    const closed = next(ws, "close");
    ws.close(code, reason);
    const event = await closed;
    seen.closes.push({ code: event.code, clean: event.wasClean });
  }
  return seen;
}

function whole({ text, bytes, times }) {
  if (text !== undefined) return text.repeat(times);
  return new Uint8Array(bytes.length * times).map((_, index) => bytes[index % bytes.length]);
}

function bytes(data) {
  return typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data);
}

function isSame(a, b) {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
