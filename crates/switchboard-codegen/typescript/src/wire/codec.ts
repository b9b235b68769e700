/** What travels in one frame. */
export type Frame = string | Uint8Array;

/** How messages are written into frames. */
export interface Codec {
  /** The subprotocol that says so to the server. */
  readonly protocol: string;
  /** Leaves out keys whose value is `undefined`. */
  encode(message: object): Frame;
  /** Throws if the frame is malformed. */
  decode(frame: Frame): unknown;
}

export const json: Codec = {
  protocol: "switchboard.v1.json",
  encode: (message) => JSON.stringify(message),
  // A binary frame is no JSON, and its text is none either.
  decode: (frame) => JSON.parse(frame as string),
};

const utf8 = new TextEncoder();

export function byteLength(frame: Frame): number {
  return typeof frame === "string" ? utf8.encode(frame).length : frame.length;
}
