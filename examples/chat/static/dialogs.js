// The dialogs: a name, a new room, a direct message, a link.

import { $, length, safeUrl, setDrawer } from "./view.js";

const MAX_NAME = 20;
const MAX_ROOM_NAME = 40;

function showFieldError(id, text) {
  $(id).textContent = text;
  $(id).hidden = text === "";
}

function openDialog(dialog, errorId, values) {
  showFieldError(errorId, "");
  for (const [id, value] of Object.entries(values)) $(id).value = value ?? "";
  dialog.showModal();
  const first = dialog.querySelector("input");
  first.focus();
  first.select();
}

function onSubmit(form, action) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    action();
  });
  const dialog = form.closest("dialog");
  form.querySelector("[data-close]").addEventListener("click", () => dialog.close());
}

let namePending = false; // The dialog is open and waits for the server's answer.

/** `choose` gets the new name and says whether nameAccepted or nameRefused will follow. */
export function initNameDialog(current, choose) {
  const dialog = $("name-dialog");
  $("name-button").addEventListener("click", () => openDialog(dialog, "name-error", { "name-input": current() }));
  dialog.addEventListener("close", () => { namePending = false; });
  onSubmit($("name-form"), () => {
    const name = $("name-input").value.trim();
    if (length(name) === 0 || length(name) > MAX_NAME) {
      showFieldError("name-error", `Please enter 1 to ${MAX_NAME} characters.`);
      return;
    }
    showFieldError("name-error", "");
    namePending = choose(name);
    if (!namePending) dialog.close();
  });
}

export function nameAccepted() {
  if (namePending) $("name-dialog").close();
}

/** False when no dialog is there to show why. */
export function nameRefused(text) {
  if (namePending) showFieldError("name-error", text);
  return namePending;
}

let roomPending = false; // The dialog is open and waits for the server's answer.

/** `create` gets the name and says whether roomCreated or roomRefused will follow. */
export function initRoomDialog(create) {
  const dialog = $("room-dialog");
  $("room-button").addEventListener("click", () => openDialog(dialog, "room-error", { "room-input": "" }));
  dialog.addEventListener("close", () => { roomPending = false; });
  onSubmit($("room-form"), () => {
    const name = $("room-input").value.trim();
    if (length(name) === 0 || length(name) > MAX_ROOM_NAME) {
      showFieldError("room-error", `Please enter 1 to ${MAX_ROOM_NAME} characters.`);
      return;
    }
    showFieldError("room-error", "");
    roomPending = create(name);
    if (!roomPending) showFieldError("room-error", "There is no connection. Please try again later.");
  });
}

export function roomCreated() {
  if (roomPending) $("room-dialog").close();
}

/** False when no dialog is there to show why. */
export function roomRefused(text) {
  if (!roomPending) return false;
  showFieldError("room-error", text);
  roomPending = false;
  return true;
}

let directTo = ""; // The id of the person whom the open dialog writes to.

export function askDirect(user) {
  directTo = user.userId;
  $("direct-title").textContent = `Message only to ${user.username}`;
  openDialog($("direct-dialog"), "direct-error", { "direct-input": "" });
}

/** `send` gets the person and the text; false when it could not be sent. */
export function initDirectDialog(send) {
  const dialog = $("direct-dialog");
  onSubmit($("direct-form"), () => {
    const text = $("direct-input").value.trim();
    if (length(text) === 0) return showFieldError("direct-error", "Please write something.");
    if (!send(directTo, text)) return showFieldError("direct-error", "There is no connection. Please try again later.");
    dialog.close();
    setDrawer(false);
  });
}

export function initLinkDialog(current, add) {
  const dialog = $("attach-dialog");
  $("attach").addEventListener("click", () => {
    openDialog(dialog, "attach-error", { "attach-url": current()?.url, "attach-name": current()?.name });
  });
  onSubmit($("attach-form"), () => {
    const url = safeUrl($("attach-url").value.trim());
    if (!url) {
      showFieldError("attach-error", "Please enter an address that starts with http:// or https://.");
      return;
    }
    const isImage = /\.(png|jpe?g|gif|webp|avif|svg|bmp)$/i.test(url.pathname);
    const link = { type: isImage ? "image" : "file", url: url.href };
    const name = $("attach-name").value.trim();
    if (name) link.name = name;
    dialog.close();
    add(link);
  });
}
