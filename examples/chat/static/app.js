// The wiring: keeps what is known, turns server messages into state and user actions into frames.

import { Connection, newId } from "./connection.js";
import * as dialogs from "./dialogs.js";
import { claimToken, stored } from "./storage.js";
import * as view from "./view.js";
import { $, length } from "./view.js";

const MAX_TEXT = 1000;
const COUNTER_FROM = 850;
const MAX_ENTRIES = 500;
const CONFIRM_MS = 10_000;
const TYPING_EVERY_MS = 2_000;
const TYPING_IDLE_MS = 3_000;
const TYPING_SHOWN_MS = 3_000;

const input = $("text");

const scheme = location.protocol === "https:" ? "wss:" : "ws:";
const connection = new Connection(`${scheme}//${location.host}/ws`);

// ---- state ------------------------------------------------------------------------------------

let token = "";
let me = { userId: "", username: "Guest" };
const myIds = new Set(); // Every user id this page had: a new name may come with a new id.
let authenticated = false;
let auth = null; // The AUTHENTICATE under way: {id, name}.
let joinId = ""; // Correlation id of the JOIN_ROOM under way.

let rooms = [];
let wanted = stored.get("room") ?? "general"; // The room to be in, also after a reconnect; "" for none.
let joined = ""; // The room the server has confirmed on this connection.
let people = 0;

let entries = []; // Shown messages and system lines of the wanted room.
let liveFrom = 0; // Entries from this index on arrived after the last JOIN_ROOM.
const seenIds = new Set(); // Ids of all confirmed messages, to find out what a history brings anew.
let outbox = []; // Own messages without a confirmation yet: {id, roomId, text, attachment, status, …}.
let attachment = null; // The link that goes with the next message.
const names = new Map(); // userId -> the name that this page saw last
const typists = new Map(); // userId -> {name, timer}

const isOwn = (userId) => myIds.has(userId);
const canSend = () => connection.isOpen && joined !== "" && joined === wanted;

// ---- joining and authenticating ---------------------------------------------------------------

function authenticate(name) {
  auth = { id: newId(), name };
  connection.send("AUTHENTICATE", name ? { token, username: name } : { token }, auth.id);
}

function join(roomId) {
  if (roomId === wanted && (joined === roomId || joinId)) return;
  stopTyping();
  if (joined && joined !== roomId) connection.send("LEAVE_ROOM", { roomId: joined });
  if (roomId !== wanted) entries = [];
  wanted = roomId;
  stored.set("room", roomId);
  people = rooms.find((room) => room.id === roomId)?.userCount ?? 0;
  requestJoin();
  clearRoomState();
  drawRoom();
  drawEntries();
}

function requestJoin() {
  if (!connection.isOpen || !wanted) return;
  if (!authenticated) {
    if (!auth) authenticate(stored.get("name"));
    return; // AUTH_SUCCESS goes on from here.
  }
  joined = "";
  joinId = newId();
  liveFrom = entries.length;
  connection.send("JOIN_ROOM", { roomId: wanted }, joinId);
}

function leave() {
  stopTyping();
  if (joined) connection.send("LEAVE_ROOM", { roomId: joined });
  goNowhere();
  view.focusRooms();
  view.announce("You left the room.");
}

function goNowhere() {
  wanted = "";
  joinId = "";
  stored.set("room", "");
  entries = [];
  clearRoomState();
  drawRoom();
  drawEntries();
}

function clearRoomState() {
  joined = "";
  for (const { timer } of typists.values()) clearTimeout(timer);
  typists.clear();
  drawTyping();
  view.showMembers([], isOwn);
}

// ---- drawing ----------------------------------------------------------------------------------

function drawRoom() {
  const room = rooms.find((candidate) => candidate.id === wanted);
  let status = people === 1 ? "1 person here" : `${people} people here`;
  if (!joined) status = connection.isOpen ? "Joining…" : "Not connected";
  view.showRoom(wanted ? { name: room?.name ?? wanted, status } : null);
  view.showRooms(rooms, wanted, (roomId) => {
    join(roomId);
    view.setDrawer(false);
    // A mouse user goes on writing; on a touch screen this would only raise the keyboard.
    if (window.matchMedia("(pointer: fine)").matches) focusInput();
  });
  drawComposer();
}

function drawEntries() {
  view.showEntries(entries, isOwn);
  drawOutbox();
}

function drawOutbox() {
  const here = outbox.filter((item) => item.roomId === wanted);
  view.showOutbox(here, me, canSend(), { onRetry: retry, onDiscard: discard });
}

function drawTyping() {
  view.showTyping([...typists.values()].map((typist) => typist.name));
}

let focusWhenEnabled = false; // A disabled field cannot keep the focus; this gives it back.

function focusInput() {
  if (input.disabled) focusWhenEnabled = true;
  else input.focus();
}

function drawComposer() {
  const enabled = canSend();
  if (!enabled && document.activeElement === input) focusWhenEnabled = true;
  input.disabled = !enabled;
  if (enabled && focusWhenEnabled) {
    focusWhenEnabled = false;
    // Not away from a dialog or from anything else the user went to in the meantime.
    if (document.activeElement === document.body || document.activeElement.matches(".room")) input.focus();
  }
  const withLink = attachment ? "Add a message to the link" : "Write a message";
  input.placeholder = enabled || !wanted ? withLink : "Waiting for the connection…";
  const count = length(input.value.trim());
  $("attach").disabled = !enabled;
  $("send").disabled = !enabled || count === 0 || count > MAX_TEXT;
  $("attachment-chip").hidden = !attachment;
  if (attachment) $("attachment-label").textContent = view.attachmentName(attachment);

  const counter = $("counter");
  counter.hidden = count < COUNTER_FROM;
  counter.textContent = count > MAX_TEXT ? `${count - MAX_TEXT} over the limit` : `${MAX_TEXT - count} left`;
  counter.classList.toggle("over", count > MAX_TEXT);
  input.setAttribute("aria-invalid", String(count > MAX_TEXT));

  input.style.height = "auto";
  input.style.height = `${input.scrollHeight}px`;
}

function addEntry(entry) {
  entries.push(entry);
  if (entries.length > MAX_ENTRIES) {
    const cut = entries.length - MAX_ENTRIES;
    entries.splice(0, cut);
    liveFrom = Math.max(0, liveFrom - cut);
    view.dropOldest(cut);
  }
  view.appendEntry(entry, isOwn);
}

function addSystem(text) {
  addEntry({ kind: "system", text, timestamp: Date.now() });
}

function setPeople(count) {
  if (typeof count === "number") people = count;
  drawRoom();
}

// ---- sending ----------------------------------------------------------------------------------

function submit() {
  const text = input.value.trim();
  if (!canSend() || length(text) === 0 || length(text) > MAX_TEXT) return;
  transmit({ roomId: wanted, text, attachment });
  input.value = "";
  attachment = null;
  stopTyping();
  drawComposer();
  view.scrollToBottom();
  focusInput();
}

function transmit(message) {
  const item = { ...message, id: newId(), status: "pending", timestamp: Date.now() };
  const payload = { roomId: item.roomId, text: item.text };
  if (item.attachment) payload.attachment = item.attachment;
  outbox.push(item);
  item.timer = setTimeout(() => fail(item, "unknown"), CONFIRM_MS);
  if (!connection.send("SEND_MESSAGE", payload, item.id)) fail(item, "unknown");
  drawOutbox();
}

/** "rejected": the server refused it. "unknown": it may or may not have arrived. */
function fail(item, status) {
  clearTimeout(item.timer);
  item.status = status;
  drawOutbox();
  if (item.roomId !== wanted) {
    const name = rooms.find((room) => room.id === item.roomId)?.name ?? item.roomId;
    view.toast(`A message to ${name} was not confirmed. It waits there for you.`);
  }
}

function remove(item) {
  clearTimeout(item.timer);
  outbox = outbox.filter((other) => other !== item);
  drawOutbox();
}

function retry(item) {
  if (!canSend()) return;
  remove(item);
  transmit({ roomId: item.roomId, text: item.text, attachment: item.attachment });
  focusInput();
}

function discard(item) {
  remove(item);
  focusInput();
}

/** Finds the own message that this confirms: by its correlation id, else the oldest with that text. */
function confirm(message, correlationId) {
  if (!isOwn(message.userId)) return;
  const fits = outbox.filter((item) => item.roomId === message.roomId && item.text === message.text);
  const item = outbox.find((candidate) => candidate.id === correlationId)
    ?? fits.find((candidate) => candidate.status === "pending")
    ?? fits.find((candidate) => candidate.status === "unknown");
  if (item) remove(item);
}

// ---- typing -----------------------------------------------------------------------------------

let typingSince = 0; // When TYPING_START was last sent; 0 when not typing.
let typingIdle = 0;

function noteTyping() {
  if (!canSend()) return;
  if (input.value.trim() === "") return stopTyping();
  clearTimeout(typingIdle);
  typingIdle = setTimeout(stopTyping, TYPING_IDLE_MS);
  if (Date.now() - typingSince < TYPING_EVERY_MS) return;
  typingSince = Date.now();
  connection.send("TYPING_START", { roomId: joined });
}

function stopTyping() {
  clearTimeout(typingIdle);
  if (typingSince && joined) connection.send("TYPING_STOP", { roomId: joined });
  typingSince = 0;
}

function clearTypist(userId) {
  clearTimeout(typists.get(userId)?.timer);
  if (typists.delete(userId)) drawTyping();
}

// ---- what the server says ---------------------------------------------------------------------

function asChat(message) {
  const timestamp = Number.isFinite(message.timestamp) ? message.timestamp : Date.now();
  return { ...message, kind: "chat", timestamp };
}

const handlers = {
  WELCOME({ username, clientId }) {
    if (authenticated) return;
    me = { userId: clientId, username };
    view.showMe(me);
  },

  ROOM_LIST({ rooms: list }) {
    rooms = list;
    setPeople(list.find((room) => room.id === joined)?.userCount);
  },

  AUTH_SUCCESS({ userId, username }) {
    me = { userId, username };
    myIds.add(userId);
    authenticated = true;
    if (auth?.name) stored.set("name", username);
    auth = null;
    view.showMe(me);
    dialogs.nameAccepted();
    if (wanted && !joined && !joinId) requestJoin();
    drawOutbox();
  },

  JOIN_SUCCESS({ roomId, userCount }) {
    if (roomId !== wanted) return;
    joined = roomId;
    joinId = "";
    setPeople(userCount);
    drawOutbox();
  },

  HISTORY({ roomId, messages }) {
    if (roomId !== wanted) return;
    const ids = new Set(messages.map((message) => message.messageId));
    const live = entries.slice(liveFrom).filter((entry) => !ids.has(entry.messageId));
    for (const message of messages) {
      // Sent before the connection was lost and stored all the same: no longer in doubt.
      if (!seenIds.has(message.messageId)) confirm(message);
      seenIds.add(message.messageId);
    }
    entries = [...messages.map(asChat), ...live];
    liveFrom = messages.length;
    drawEntries();
  },

  "ROOM:USERS"({ room, users, count }) {
    if (room !== wanted) return;
    for (const user of users) names.set(user.userId, user.username);
    view.showMembers(users, isOwn, dialogs.askDirect);
    setPeople(count);
  },

  USER_JOINED({ roomId, userId, username, userCount }) {
    if (roomId !== wanted) return;
    const name = rooms.find((room) => room.id === roomId)?.name ?? roomId;
    addSystem(isOwn(userId) ? `You joined ${name}` : `${username} joined`);
    setPeople(userCount);
  },

  USER_LEFT({ roomId, userId, username, userCount }) {
    if (roomId !== wanted || isOwn(userId)) return;
    clearTypist(userId);
    addSystem(`${username} left`);
    setPeople(userCount);
  },

  USER_DISCONNECTED({ userCount }) {
    if (joined) setPeople(userCount);
  },

  CHAT_MESSAGE(message, meta) {
    const isNew = !seenIds.has(message.messageId);
    seenIds.add(message.messageId);
    if (isNew) confirm(message, meta?.correlationId);
    if (!isNew || message.roomId !== wanted) return;
    clearTypist(message.userId);
    addEntry(asChat(message));
  },

  ROOM_CREATED({ roomId }) {
    dialogs.roomCreated();
    join(roomId);
    view.setDrawer(false);
  },

  DIRECT_MESSAGE(message) {
    if (seenIds.has(message.messageId)) return;
    seenIds.add(message.messageId);
    const other = isOwn(message.userId) ? message.toUserId : message.userId;
    if (!isOwn(message.userId)) names.set(message.userId, message.username);
    const direct = isOwn(message.userId) ? `Only to ${names.get(other) ?? "one person"}` : "Only to you";
    addEntry({ ...asChat(message), direct });
    if (!wanted) view.toast(`${message.username}: ${message.text}`);
  },

  USER_TYPING({ roomId, userId, username, typing }) {
    if (roomId !== wanted || isOwn(userId)) return;
    clearTypist(userId);
    if (!typing) return;
    typists.set(userId, { name: username, timer: setTimeout(clearTypist, TYPING_SHOWN_MS, userId) });
    drawTyping();
  },

  ERROR(error, meta) {
    const id = meta?.correlationId;
    const text = view.errorText(error);
    const item = outbox.find((candidate) => candidate.id === id);
    if (item) fail(item, "rejected");
    if (auth && id === auth.id) return authFailed(text);
    if (id && id === joinId) joinFailed(error);
    if (dialogs.roomRefused(text)) return;
    view.toast(text);
  },
};

function authFailed(text) {
  const { name } = auth;
  auth = null;
  if (dialogs.nameRefused(text)) return;
  view.toast(text);
  // The name kept from before is no longer welcome: better a guest than nobody.
  if (name && !authenticated) {
    stored.remove("name");
    authenticate();
  }
}

function joinFailed({ retryable, retryAfterMs }) {
  const roomId = wanted;
  joinId = "";
  if (!retryable) return goNowhere();
  setTimeout(() => {
    if (wanted === roomId && !joined && !joinId) requestJoin();
  }, retryAfterMs ?? 1000);
}

connection.addEventListener("message", ({ detail: { type, payload, meta } }) => {
  if (Object.hasOwn(handlers, type)) handlers[type](payload ?? {}, meta);
});

connection.addEventListener("problem", ({ detail: { kind, text } }) => view.toast(text, kind));

connection.addEventListener("state", ({ detail: { state, retryAt } }) => {
  view.showConnection(state, retryAt);
  if (state === "open") {
    authenticate(stored.get("name"));
  } else {
    authenticated = false;
    auth = null;
    joinId = "";
    typingSince = 0;
    clearRoomState();
    for (const item of outbox) if (item.status === "pending") fail(item, "unknown");
  }
  drawRoom();
  drawOutbox();
});

// ---- what the user does -----------------------------------------------------------------------

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
input.addEventListener("keydown", (event) => {
  // While an input method composes, Enter picks a candidate.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit();
});
input.addEventListener("input", () => {
  noteTyping();
  drawComposer();
});
input.addEventListener("blur", stopTyping);
$("leave").addEventListener("click", leave);
$("reconnect").addEventListener("click", () => connection.connect());
$("disconnect").addEventListener("click", () => {
  stopTyping();
  connection.disconnect();
  view.setDrawer(false);
});

$("attachment-remove").addEventListener("click", () => setAttachment(null));

function setAttachment(link) {
  attachment = link;
  drawComposer();
  focusInput();
}

/** True when an answer will close the dialog. */
function chooseName(name) {
  if (connection.isOpen) {
    authenticate(name);
    return true;
  }
  stored.set("name", name);
  view.toast("Your name will be used once the connection is back.");
  return false;
}

window.addEventListener("beforeunload", (event) => {
  if (outbox.length > 0) event.preventDefault();
});

view.initView();
dialogs.initNameDialog(() => stored.get("name"), chooseName);
dialogs.initRoomDialog((name) => connection.send("CREATE_ROOM", { name }, newId()));
dialogs.initDirectDialog((toUserId, text) => connection.send("SEND_DIRECT_MESSAGE", { toUserId, text }, newId()));
dialogs.initLinkDialog(() => attachment, setAttachment);
drawRoom();
token = await claimToken();
connection.connect();
