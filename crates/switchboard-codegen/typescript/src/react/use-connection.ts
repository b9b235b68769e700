import { useCallback, useSyncExternalStore } from "react";
import type { Api, Client, ConnectionState } from "switchboard-client";

/** The state during server-side rendering. */
const IDLE: ConnectionState = { status: "idle" };

/** The state of the client's connection. Renders when it changes. */
export function useConnection<A extends Api>(client: Client<A>): ConnectionState {
  const subscribe = useCallback((changed: () => void) => client.onState(changed), [client]);
  return useSyncExternalStore(
    subscribe,
    () => client.state,
    () => IDLE,
  );
}
