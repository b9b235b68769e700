// What a tab keeps over a reload, and the token that makes it the same person.

export const stored = {
  get: (key) => sessionStorage.getItem(`rooms.${key}`),
  set: (key, value) => sessionStorage.setItem(`rooms.${key}`, value),
  remove: (key) => sessionStorage.removeItem(`rooms.${key}`),
};

/** A random id. `crypto.randomUUID` exists in secure contexts only; this also works on a plain http address. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A duplicated tab copies sessionStorage. Whoever holds the lock keeps the token. */
export async function claimToken() {
  let token = stored.get("token") ?? "";
  if (token !== "" && await holdLock(token)) return token;
  token = newId();
  stored.set("token", token);
  stored.remove("name");
  await holdLock(token);
  return token;
}

function holdLock(name) {
  if (!navigator.locks) return true; // Plain http: a duplicated tab stays the same person.
  return new Promise((resolve) => {
    // The wait is for a reload, where the page before may let go a moment later.
    const signal = AbortSignal.timeout(400);
    navigator.locks.request(`rooms.${name}`, { signal }, () => {
      resolve(true);
      return new Promise(() => {}); // Held for as long as the page lives.
    }).catch(() => resolve(false));
  });
}
