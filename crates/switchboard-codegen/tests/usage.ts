// What an application writes with the generated file, and what must not compile.
import { connect } from "switchboard-client";
import { type ChatApi, type OptionsInput, type ServerMessage, chat } from "./chat.js";

export async function use(): Promise<void> {
  const ws = connect<ChatApi>("wss://example.com/ws", chat);
  ws.send("PING");
  ws.send("TREE", { label: "a", children: [] });
  ws.send("MARKED", { text: "a" }, { meta: { roomId: "1" } });
  // @ts-expect-error its meta is missing
  ws.send("MARKED", { text: "a" });
  // @ts-expect-error there is no such message
  ws.send("PONGS");
  // @ts-expect-error a field is missing
  ws.send("TREE", { label: "a" });
  // Where the server has a default, a client leaves the field out.
  const bought = await ws.request("BUY", { profile: { userName: "a" } });
  const age: number = bought.profile.age;
  // A client may send it all the same.
  const options: OptionsInput = { skipped: null };
  const room = ws.subscribe("room:1");
  // @ts-expect-error there is no such topic
  ws.subscribe("rooms");
  ws.handle("CONFIRM", ({ question }) => ({ yes: question.length > age }));
  ws.on("ENUMS", ({ shape, external }) => {
    switch (shape.kind) {
      case "circle":
        return shape.outerRadius;
      case "person":
        return shape.userName;
      case "square":
        // @ts-expect-error only a circle has it
        return shape.outerRadius;
      default:
        return typeof external === "object" && "named" in external ? external.named.someValue : undefined;
    }
  });
  ws.on("OPTIONS", ({ maybe, skipped, list }) => {
    const text: string | null = maybe;
    // Left out, and never `null`.
    const other: string | undefined = skipped;
    return [text, other, list?.length];
  });
  ws.on("ATTRIBUTES", (payload) => (payload.kind === "square" ? payload.side : payload["content-type"]));
  void [room, options];
}

export function label(message: ServerMessage): string {
  return message.type === "TREE" ? message.payload.label : message.type;
}
