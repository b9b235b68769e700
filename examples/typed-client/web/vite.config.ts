import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

// The sources of the client in this repository, so that it need not be built first. An application has the package in
// its `dependencies` instead, and needs neither `resolve` nor `fs`, nor `paths` in tsconfig.json.
const client = fileURLToPath(new URL("../../../crates/switchboard-codegen/typescript/src", import.meta.url));

export default defineConfig({
  plugins: [react()],
  resolve: {
    alias: [
      { find: /^switchboard-client$/, replacement: `${client}/index.ts` },
      { find: /^switchboard-client\/react$/, replacement: `${client}/react/index.ts` },
    ],
    // The hooks of the client must use the page's React.
    dedupe: ["react"],
  },
  // Inlined images would need `data:` in the server's Content-Security-Policy.
  build: { assetsInlineLimit: 0 },
  server: {
    fs: { allow: [".", client] },
    // One origin for the page and the WebSocket, which the server requires.
    proxy: { "/ws": { target: "ws://127.0.0.1:3000", ws: true } },
  },
});
