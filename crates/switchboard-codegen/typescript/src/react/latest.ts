import { useEffect, useRef } from "react";

/** A reference to the value of the last render. Keeps effects from depending on inline functions. */
export function useLatest<T>(value: T): { readonly current: T } {
  const latest = useRef(value);
  useEffect(() => {
    latest.current = value;
  });
  return latest;
}
