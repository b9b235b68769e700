import { useCallback, useRef, useSyncExternalStore } from "react";
import type { AnyMessage, Api, Client, KeyOf, Subscription, SubscriptionState, TopicTypes } from "switchboard-client";
import { useLatest } from "./latest.js";

const PENDING: SubscriptionState = { status: "pending" };
const CLOSED: SubscriptionState = { status: "closed" };

/** Subscribes to a topic while the component is mounted; `null` subscribes to none. Renders when the state changes. */
export function useTopic<A extends Api, T extends KeyOf<A["topics"]>>(
  client: Client<A>,
  topic: T | null,
  listener: (message: AnyMessage<A, TopicTypes<A, T>>) => void,
): SubscriptionState {
  const latest = useLatest(listener);
  const state = useRef(PENDING);
  const subscribe = useCallback(
    (changed: () => void) => {
      const update = (to: SubscriptionState): void => {
        state.current = to;
        changed();
      };
      if (topic === null) return () => {};
      if (client.state.status === "closed") {
        update(CLOSED);
        return () => {};
      }
      const subscription: Subscription<A, TopicTypes<A, T>> = client.subscribe(topic);
      subscription.onMessage((message) => latest.current(message));
      const off = subscription.onState(update);
      update(subscription.state);
      return () => {
        off();
        subscription.close();
        state.current = PENDING;
      };
    },
    [client, topic, latest],
  );
  return useSyncExternalStore(
    subscribe,
    () => state.current,
    () => PENDING,
  );
}
