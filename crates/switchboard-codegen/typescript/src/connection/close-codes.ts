/** The client's reaction to a close code. */
export type Verdict =
  /** It stays closed. */
  | "terminal"
  /** It reconnects after a backoff. */
  | "backoff"
  /** It reconnects at once. */
  | "now"
  /** It reconnects only with a token that differs from the last one. */
  | "credentials";

const TERMINAL = new Set([1000, 1002, 1003, 1007, 1009, 4401, 4403]);

/** Maps close codes as section 6 of the protocol does. Unlisted codes reconnect. */
export function verdict(code: number, reason: string): Verdict {
  if (TERMINAL.has(code) || (code >= 4500 && code <= 4999)) return "terminal";
  if (code === 1008) return reason === "Heartbeat timeout" ? "now" : "credentials";
  return "backoff";
}
