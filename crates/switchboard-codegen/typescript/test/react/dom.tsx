import { Window } from "happy-dom";
import type { ReactNode } from "react";
import { StrictMode, act } from "react";
import type { Root } from "react-dom/client";

// React looks for these when it is loaded.
const window = new Window({ url: "http://localhost/" });
const { document, navigator } = window;
const globals = { window, document, navigator, IS_REACT_ACT_ENVIRONMENT: true };
for (const [name, value] of Object.entries(globals))
  Object.defineProperty(globalThis, name, { value, configurable: true });

const { createRoot } = await import("react-dom/client");

export interface Mounted {
  text(): string;
  render(node: ReactNode): Promise<void>;
  unmount(): Promise<void>;
}

/** Mounts components in StrictMode. */
export async function mount(node: ReactNode): Promise<Mounted> {
  const element = window.document.createElement("div");
  const root: Root = createRoot(element as unknown as Element);
  const render = (node: ReactNode): Promise<void> => act(async () => root.render(<StrictMode>{node}</StrictMode>));
  await render(node);
  return {
    text: () => element.textContent ?? "",
    render,
    unmount: () => act(async () => root.unmount()),
  };
}

export { act };
