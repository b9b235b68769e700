import { globals } from "../environment.js";

/** How the token reaches the server. */
export type TokenPlacement =
  /** As the subprotocol entry `bearer.TOKEN`. */
  | "subprotocol"
  /** As this query parameter. It may end up in logs of proxies. */
  | { readonly query: string }
  /** In a first message of this type, with the payload `{token}`. */
  | { readonly message: string };

/** The URL and the subprotocols of a new socket. */
export function address(
  url: string | URL,
  offered: string[],
  placement: TokenPlacement,
  token: string | undefined,
): { url: string; protocols: string[] } {
  const target = new URL(url, globals.location?.href);
  target.protocol = target.protocol.replace(/^http/, "ws");
  const protocols = [...offered];
  if (token !== undefined) {
    if (placement === "subprotocol") protocols.push(`bearer.${escapeToken(token)}`);
    else if ("query" in placement) target.searchParams.set(placement.query, token);
  }
  return { url: target.href, protocols };
}

/** `encodeURIComponent` leaves brackets, which a subprotocol must not have. */
function escapeToken(token: string): string {
  return encodeURIComponent(token).replace(/[()]/g, (bracket) => `%${bracket.charCodeAt(0).toString(16)}`);
}
