import type { Codec } from "switchboard-client";
import { decode } from "./decode.js";
import { encode } from "./encode.js";

/** MessagePack in binary frames: pass it as the option `codec`. */
export const msgpack: Codec = {
  protocol: "switchboard.v1.msgpack",
  encode,
  // Servers may send text frames too.
  decode: (frame) => (typeof frame === "string" ? JSON.parse(frame) : decode(frame)),
};
