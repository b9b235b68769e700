// Writes a generated file with many messages, and a program that uses it.
const KINDS = 75;

/** 75 each of events of the client, events of the server, requests and calls: 300 messages, and more for their answers. */
export function largeRoute() {
  const numbers = Array.from({ length: KINDS }, (_, i) => i);
  const lines = (text) => numbers.map((i) => text.replaceAll("#", i)).join("\n");
  return `import type { Route } from "switchboard-client";
${lines('export interface P# { id: string; n#: number; list: string[]; inner?: { a: boolean; b: "x" | "y" } }')}
export interface LargeApi {
  send: {
${lines("    SEND_#: P#;")}
  };
  receive: {
${lines("    EVENT_#: P#;")}
  };
  requests: {
${lines('    REQUEST_#: { request: P#; response: P#; progress: P#; errors: "E#" };')}
  };
  calls: {
${lines("    CALL_#: { request: P#; response: P# };")}
  };
  topics: {
${lines('    [topic: `topic#:${string}`]: "EVENT_#";')}
  };
  meta: {};
}
export const large: Route<LargeApi> = {
  path: "/ws",
  contract: "0",
  requests: {
${lines('    REQUEST_#: "RESPONSE_#",')}
  },
  calls: {
${lines('    CALL_#: "ANSWER_#",')}
  },
  topics: {
${lines('    "topic#:{id}": ["EVENT_#"],')}
  },
};
`;
}

export function largeProgram() {
  const numbers = Array.from({ length: KINDS }, (_, i) => i);
  const uses = numbers.map(
    (i) => `client.send("SEND_${i}", p${i});
client.on("EVENT_${i}", ({ n${i} }) => n${i}.toFixed());
client.request("REQUEST_${i}", p${i}, { onProgress: ({ n${i} }) => n${i} }).then(({ n${i} }) => n${i}.toFixed());
client.handle("CALL_${i}", (payload) => payload);
client.subscribe("topic${i}:a").on("EVENT_${i}", ({ n${i} }) => n${i}.toFixed());
`,
  );
  const declared = numbers.map((i) => `declare const p${i}: import("./large.js").P${i};\n`);
  return `import { connect } from "switchboard-client";
import { large } from "./large.js";
const client = connect("/ws", large);
client.onMessage((message) => {
  switch (message.type) {
${numbers.map((i) => `    case "EVENT_${i}": return message.payload.n${i};`).join("\n")}
  }
});
${declared.join("")}${uses.join("")}`;
}
