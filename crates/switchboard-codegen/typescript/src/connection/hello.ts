import { fields } from "../wire/envelope.js";
import type { Hello } from "./state.js";

const positive = (value: unknown): number | undefined => ((value as number) > 0 ? (value as number) : undefined);

/** Reads the payload of a hello. Numbers that make no sense count as absent. */
export function readHello(payload: unknown): Hello {
  const said = fields(payload);
  const heartbeatMs = positive(said["heartbeatMs"]);
  const maxMessageBytes = positive(fields(said["limits"])["maxMessageBytes"]);
  return { ...said, heartbeatMs, maxMessageBytes };
}
