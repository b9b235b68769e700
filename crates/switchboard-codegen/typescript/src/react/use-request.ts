import { useCallback, useEffect, useRef, useState } from "react";
import type { Api, Args, Client, KeyOf, ProgressOf, RequestOptions, ResponseOf } from "switchboard-client";

/** The status of a component's request. */
export type RequestStatus<A extends Api, K extends KeyOf<A["requests"]>> =
  | { readonly status: "idle" }
  | { readonly status: "running"; readonly progress: ProgressOf<A, K> | undefined }
  | { readonly status: "done"; readonly data: ResponseOf<A, K> }
  | { readonly status: "failed"; readonly error: unknown };

export type UseRequest<A extends Api, K extends KeyOf<A["requests"]>> = RequestStatus<A, K> & {
  /** Sends the request, aborting the previous one. */
  readonly run: (
    ...args: Args<A, K, A["requests"][K]["request"], RequestOptions<ProgressOf<A, K>>>
  ) => Promise<ResponseOf<A, K>>;
  /** Aborts the running request. */
  readonly abort: () => void;
};

/** A request of a component. It is aborted when the component is unmounted. */
export function useRequest<A extends Api, K extends KeyOf<A["requests"]>>(
  client: Client<A>,
  type: K,
): UseRequest<A, K> {
  const [state, setState] = useState<RequestStatus<A, K>>({ status: "idle" });
  const running = useRef<AbortController | undefined>(undefined);
  const abort = useCallback(() => running.current?.abort(), []);
  const run = useCallback<UseRequest<A, K>["run"]>(
    (...args) => {
      running.current?.abort();
      const controller = new AbortController();
      running.current = controller;
      // Ignores results of a replaced request or an unmounted component.
      const show = (next: RequestStatus<A, K>): void => {
        if (running.current === controller) setState(next);
      };
      const [payload, options] = args as unknown as [unknown, RequestOptions?];
      const { signal } = options ?? {};
      const forward = (): void => controller.abort();
      if (signal?.aborted) forward();
      signal?.addEventListener("abort", forward);
      const merged: RequestOptions = {
        ...options,
        signal: controller.signal,
        onProgress: (progress) => {
          show({ status: "running", progress: progress as ProgressOf<A, K> });
          options?.onProgress?.(progress);
        },
      };
      show({ status: "running", progress: undefined });
      const all = [payload, merged] as unknown as typeof args;
      const answer = client.request(type, ...all).finally(() => signal?.removeEventListener("abort", forward));
      answer.then(
        (data) => show({ status: "done", data }),
        (error: unknown) => show({ status: "failed", error }),
      );
      return answer;
    },
    [client, type],
  );
  useEffect(
    () => () => {
      running.current?.abort();
      running.current = undefined;
    },
    [client, type],
  );
  return { ...state, run, abort };
}
