import { useEffect, useRef } from "react";

/** A reference to the value of the last render, so that an effect need not run again for a new function. */
export function useLatest<T>(value: T): { readonly current: T } {
  const latest = useRef(value);
  useEffect(() => {
    latest.current = value;
  });
  return latest;
}
