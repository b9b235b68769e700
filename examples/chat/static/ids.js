/** A random id. `crypto.randomUUID` exists in secure contexts only; this also works on a plain http address. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
