import { useEffect } from "react";
import type { Api, Client, KeyOf, Message } from "switchboard-client";
import { useLatest } from "./latest.js";

/** Calls the listener with each event of one type while the component is mounted. */
export function useMessage<A extends Api, K extends KeyOf<A["receive"]>>(
  client: Client<A>,
  type: K,
  listener: (payload: A["receive"][K], message: Message<A, K>) => void,
): void {
  const latest = useLatest(listener);
  useEffect(() => client.on(type, (payload, message) => latest.current(payload, message)), [client, type, latest]);
}
