/** The data of one frame. */
export type Frame = string | Uint8Array;

/** The encoding of messages. */
export interface Codec {
  /** The subprotocol that selects it. */
  readonly protocol: string;
  /** Leaves out keys whose value is `undefined`. */
  encode(message: object): Frame;
  /** Throws if the frame is malformed. */
  decode(frame: Frame): unknown;
}

export const json: Codec = {
  protocol: "switchboard.v1.json",
  encode: (message) => JSON.stringify(message),
  // Fails for binary frames, as it should.
  decode: (frame) => JSON.parse(frame as string),
};

const utf8 = new TextEncoder();

export function byteLength(frame: Frame): number {
  return typeof frame === "string" ? utf8.encode(frame).length : frame.length;
}
