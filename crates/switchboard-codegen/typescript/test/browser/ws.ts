/** The browser's own, in place of the package `ws`. */
export const WebSocket = globalThis.WebSocket;
