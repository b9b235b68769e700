// The wiring: keeps what is known, turns server messages into state and user actions into messages.

import * as composer from "./composer.js";
import { client, isOpen, onRefused, send } from "./connection.js";
import * as dialogs from "./dialogs.js";
import { newId } from "./ids.js";
import { Outbox } from "./outbox.js";
import { claimToken, stored } from "./storage.js";
import { TypingNotice, Typists } from "./typing.js";
import * as view from "./view.js";
import { $ } from "./view.js";

const MAX_ENTRIES = 500;

/** @typedef {import("./client/chat.js").ChatApi} ChatApi */
/** @typedef {import("./client/switchboard-client.js").Meta} Meta */

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
let attachment = null; // The link that goes with the next message.
const names = new Map(); // userId -> the name that this page saw last
const typists = new Typists(drawTyping);
const typing = new TypingNotice((type) => {
  if (joined) send(type, { roomId: joined });
});
const outbox = new Outbox({
  send: (payload, id) => send("SEND_MESSAGE", payload, id),
  onChange: drawOutbox,
  onFailed: announceUnconfirmed,
});

const isOwn = (userId) => myIds.has(userId);
const canSend = () => isOpen() && joined !== "" && joined === wanted;

// ---- joining and authenticating ---------------------------------------------------------------

function authenticate(name) {
  auth = { id: newId(), name };
  send("AUTHENTICATE", name ? { token, username: name } : { token }, auth.id);
}

function join(roomId) {
  if (roomId === wanted && (joined === roomId || joinId)) return;
  typing.stop();
  if (joined && joined !== roomId) send("LEAVE_ROOM", { roomId: joined });
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
  if (!isOpen() || !wanted) return;
  if (!authenticated) {
    if (!auth) authenticate(stored.get("name"));
    return; // AUTH_SUCCESS goes on from here.
  }
  joined = "";
  joinId = newId();
  liveFrom = entries.length;
  send("JOIN_ROOM", { roomId: wanted }, joinId);
}

function leave() {
  typing.stop();
  if (joined) send("LEAVE_ROOM", { roomId: joined });
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
  typists.clear();
  view.showMembers([], isOwn);
}

// ---- drawing ----------------------------------------------------------------------------------

function drawRoom() {
  const room = rooms.find((candidate) => candidate.id === wanted);
  let status = people === 1 ? "1 person here" : `${people} people here`;
  if (!joined) status = isOpen() ? "Joining…" : "Not connected";
  view.showRoom(wanted ? { name: room?.name ?? wanted, status } : null);
  view.showRooms(rooms, wanted, (roomId) => {
    join(roomId);
    view.setDrawer(false);
    // A mouse user goes on writing; on a touch screen this would only raise the keyboard.
    if (window.matchMedia("(pointer: fine)").matches) composer.focus();
  });
  drawComposer();
}

function drawEntries() {
  view.showEntries(entries, isOwn);
  drawOutbox();
}

function drawOutbox() {
  view.showOutbox(outbox.of(wanted), me, canSend(), { onRetry: retry, onDiscard: discard });
}

function drawTyping() {
  view.showTyping(typists.names);
}

function drawComposer() {
  composer.draw({ enabled: canSend(), hasRoom: wanted !== "", attachment });
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
  const text = composer.text();
  if (!canSend() || !composer.isValid(text)) return;
  outbox.transmit({ roomId: wanted, text, attachment });
  composer.clear();
  attachment = null;
  typing.stop();
  drawComposer();
  view.scrollToBottom();
  composer.focus();
}

function announceUnconfirmed({ roomId }) {
  if (roomId === wanted) return;
  const name = rooms.find((room) => room.id === roomId)?.name ?? roomId;
  view.toast(`A message to ${name} was not confirmed. It waits there for you.`);
}

function retry(item) {
  if (!canSend()) return;
  outbox.remove(item);
  outbox.transmit(item);
  composer.focus();
}

function discard(item) {
  outbox.remove(item);
  composer.focus();
}

function confirm(message, correlationId) {
  if (isOwn(message.userId)) outbox.confirm(message, correlationId);
}

function noteTyping() {
  if (!canSend()) return;
  if (composer.text() === "") typing.stop();
  else typing.noticed();
}

// ---- what the server says ---------------------------------------------------------------------

function asChat(message) {
  const timestamp = Number.isFinite(message.timestamp) ? message.timestamp : Date.now();
  return { ...message, kind: "chat", timestamp };
}

/** @type {{ [K in keyof ChatApi["receive"]]: (payload: ChatApi["receive"][K], meta: Meta) => void }} */
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
    typists.remove(userId);
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
    typists.remove(message.userId);
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

  USER_TYPING({ roomId, userId, username, typing: isTyping }) {
    if (roomId !== wanted || isOwn(userId)) return;
    if (isTyping) typists.add(userId, username);
    else typists.remove(userId);
  },
};

function refused(error) {
  const id = error.correlationId;
  const text = view.errorText(error);
  outbox.rejected(id);
  if (auth && id === auth.id) return authFailed(text);
  if (id && id === joinId) joinFailed(error);
  if (dialogs.roomRefused(text)) return;
  view.toast(text);
}

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

for (const type of Object.keys(handlers)) {
  client.on(/** @type {keyof typeof handlers} */ (type), (payload, { meta }) => handlers[type](payload, meta));
}

onRefused(refused);

client.onState((state) => {
  view.showConnection(state);
  if (state.status !== "open") {
    authenticated = false;
    auth = null;
    joinId = "";
    typing.forget();
    clearRoomState();
    outbox.disconnected();
  } else if (!state.draining) {
    authenticate(stored.get("name"));
  }
  drawRoom();
  drawOutbox();
});

// ---- what the user does -----------------------------------------------------------------------

composer.init({
  onSubmit: submit,
  onInput: () => {
    noteTyping();
    drawComposer();
  },
  onBlur: () => typing.stop(),
});
$("leave").addEventListener("click", leave);
$("reconnect").addEventListener("click", () => client.connect());
$("disconnect").addEventListener("click", () => {
  typing.stop();
  client.close();
  view.setDrawer(false);
});

$("attachment-remove").addEventListener("click", () => setAttachment(null));

function setAttachment(link) {
  attachment = link;
  drawComposer();
  composer.focus();
}

/** True when an answer will close the dialog. */
function chooseName(name) {
  if (isOpen()) {
    authenticate(name);
    return true;
  }
  stored.set("name", name);
  view.toast("Your name will be used once the connection is back.");
  return false;
}

window.addEventListener("beforeunload", (event) => {
  if (!outbox.isEmpty) event.preventDefault();
});

view.initView();
dialogs.initNameDialog(() => stored.get("name"), chooseName);
dialogs.initRoomDialog((name) => send("CREATE_ROOM", { name }, newId()));
dialogs.initDirectDialog((toUserId, text) => send("SEND_DIRECT_MESSAGE", { toUserId, text }, newId()));
dialogs.initLinkDialog(() => attachment, setAttachment);
drawRoom();
token = await claimToken();
client.connect();
