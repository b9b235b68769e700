//! The page of `examples/chat` in Chromium: two windows of one browser, on a desk and on a phone.
//!
//! Screenshots are left in `target/screenshots`.

#[path = "browser/driver.rs"]
mod driver;
#[path = "chat_browser/page.rs"]
mod page;
#[path = "chat_browser/server.rs"]
mod server;

use serde_json::{Value, json};
use switchboard_tests::client;

use self::{
    driver::{Driver, Screen},
    page::Page,
    server::Server,
};

#[tokio::test]
async fn two_people_at_a_desk() {
    chat_through_a_restart(Screen { name: "desk", width: 1280, height: 800, phone: false }).await;
}

#[tokio::test]
async fn two_people_on_the_phone() {
    chat_through_a_restart(Screen { name: "phone", width: 390, height: 844, phone: true }).await;
}

async fn chat_through_a_restart(screen: Screen) {
    let mut server = Server::start();
    let driver = Driver::start();
    let browser = driver.open_browser(screen).await;
    let ann = Page::open(&browser, screen, "ann", &server.url()).await;
    let bob = Page::open(&browser, screen, "bob", &server.url()).await;

    for page in [&ann, &bob] {
        page.until_here(2).await;
        page.until(&format!("innerWidth === {} && innerHeight === {}", screen.width, screen.height)).await;
    }
    names(&ann, &bob).await;
    typing(&ann, &bob).await;
    messages(&ann, &bob).await;
    typing_clears_by_itself(&ann, &server).await;
    problems(&bob).await;
    directly(&ann, &bob).await;
    disconnecting(&ann, &bob).await;
    leaving(&ann, &bob).await;
    new_room(&ann, &bob).await;
    // Before the server goes: a refused connection is an entry, too.
    assert_eq!(driver.console(&browser).await, [""; 0]);

    server.stop().await;
    for page in [&ann, &bob] {
        page.until("$('#connection').dataset.state === 'reconnecting'").await;
        page.until("$('#text').disabled && $('#send').disabled").await;
        page.screenshot("5-reconnecting").await;
    }
    server.start_again();
    for page in [&ann, &bob] {
        page.until_here(2).await;
        page.until("texts('#members .name').toSorted().join() === 'Ann,Bob'").await;
    }
    bob.say("Back again?").await;
    ann.until_said("Back again?").await;
    ann.say("Yes, both of us").await;
    bob.until_said("Yes, both of us").await;
    for page in [&ann, &bob] {
        page.screenshot("6-back").await;
    }
    browser.close().await.expect("the browser closes");
}

async fn names(ann: &Page, bob: &Page) {
    for (page, name) in [(ann, "Ann"), (bob, "Bob")] {
        page.until("$('#me').textContent.startsWith('Guest-')").await;
        page.open_drawer().await;
        page.click("#name-button").await;
        page.fill("#name-input", name).await;
        page.screenshot("1-name").await;
        page.click("#name-save").await;
        page.until(&format!("!$('#name-dialog').open && $('#me').textContent === '{name}'")).await;
        page.close_drawer().await;
    }
    for page in [ann, bob] {
        page.until("texts('#members .name').join() === 'Ann,Bob'").await;
    }
}

async fn typing(ann: &Page, bob: &Page) {
    ann.fill("#text", "Hel").await;
    bob.until("$('#typing').textContent === 'Ann is typing…'").await;
    ann.until("$('#typing').textContent === ''").await;
    bob.screenshot("2-typing").await;
    // Nothing more is typed: the notice goes by itself.
    bob.until("$('#typing').textContent === ''").await;
    bob.fill("#text", "Well").await;
    ann.until("$('#typing').textContent === 'Bob is typing…'").await;
}

async fn messages(ann: &Page, bob: &Page) {
    // Text is text, whatever it looks like.
    let markup = "Hello <b>Bob</b> <img src=x>";
    ann.say(markup).await;
    bob.until_said(markup).await;
    ann.until_said(markup).await;
    bob.until("!$('#log .text b, #log .text img')").await;
    bob.fill("#text", "Hi Ann, this line is long enough to need more than one row on a small screen").await;
    bob.click("#send").await;
    for page in [ann, bob] {
        page.until("texts('#log .text').at(-1).startsWith('Hi Ann')").await;
        // Confirmed by the server: nothing waits any more.
        page.until("$('#outbox').children.length === 0").await;
        page.until("$('#typing').textContent === ''").await;
        page.screenshot("3-messages").await;
    }
}

/// Somebody begins to type and is never heard of again: three seconds later the page has forgotten it by itself.
async fn typing_clears_by_itself(page: &Page, server: &Server) {
    page.script(
        "window.typingTimes = []; \
         new MutationObserver(() => typingTimes.push([$('#typing').textContent, performance.now()])) \
           .observe($('#typing'), { childList: true, characterData: true, subtree: true });",
    )
    .await;
    let mut cid = client::connect(server.addr(), "/ws").await;
    cid.send("AUTHENTICATE", json!({ "token": "cid", "username": "Cid" })).await;
    cid.send("JOIN_ROOM", json!({ "roomId": "general" })).await;
    cid.send("TYPING_START", json!({ "roomId": "general" })).await;
    page.until("typingTimes.length === 2").await;
    let times = page.script("return typingTimes;").await;
    assert_eq!((&times[0][0], &times[1][0]), (&json!("Cid is typing…"), &json!("")));
    let shown = times[1][1].as_f64().expect("a time") - times[0][1].as_f64().expect("a time");
    // A page in the background may be called a second late.
    assert!((2_950.0..4_500.0).contains(&shown), "shown for {shown} ms");
    cid.close(1000).await;
    page.until_here(2).await;
}

/// What is no message of the chat is told on the page, and does not end it.
async fn problems(page: &Page) {
    // The page's own socket shows itself when it sends.
    page.script(
        "const send = WebSocket.prototype.send; \
         WebSocket.prototype.send = function (data) { window.socket = this; send.call(this, data); };",
    )
    .await;
    page.fill("#text", "x").await;
    page.until("window.socket").await;
    for (data, kind, told) in [
        ("{", "parse", "The server sent something that cannot be read."),
        ("[]", "validation", "The server sent a message without a type."),
        (
            r#"{"type":"CHAT_MESSAGE","payload":{"messageId":"1","roomId":"general","userId":"u","username":"Eve"}}"#,
            "validation",
            "The server sent an invalid CHAT_MESSAGE: text is required.",
        ),
        (
            r#"{"type":"ROOM_LIST","payload":{"rooms":[{"id":"a","name":"b","userCount":"2"}]}}"#,
            "validation",
            "The server sent an invalid ROOM_LIST: rooms[0].userCount must be of type integer.",
        ),
    ] {
        let data = Value::from(data);
        page.script(&format!("socket.dispatchEvent(new MessageEvent('message', {{ data: {data} }}));")).await;
        page.until(&format!(
            "$('.toast:last-child')?.dataset.kind === '{kind}' && $('.toast:last-child p').textContent === {}",
            Value::from(told)
        ))
        .await;
    }
    page.screenshot("7-problems").await;
    page.until("!$('.toast')").await;
    page.until_here(2).await;
}

async fn directly(ann: &Page, bob: &Page) {
    ann.open_drawer().await;
    ann.click("#members .message-button").await;
    ann.until("$('#direct-title').textContent === 'Message only to Bob'").await;
    ann.fill("#direct-input", "Between us").await;
    ann.screenshot("8-direct").await;
    ann.click("#direct-send").await;
    for (page, tag) in [(ann, "Only to Bob"), (bob, "Only to you")] {
        page.until_said("Between us").await;
        page.until(&format!("texts('#log .direct-tag').at(-1) === '{tag}'")).await;
        page.screenshot("9-directly").await;
    }
}

async fn disconnecting(ann: &Page, bob: &Page) {
    bob.open_drawer().await;
    bob.click("#disconnect").await;
    bob.until("$('#connection').dataset.state === 'closed' && $('#connection-text').textContent === 'Offline'").await;
    bob.until("$('#text').disabled && $('#disconnect').hidden").await;
    bob.screenshot("10-offline").await;
    ann.until_here(1).await;
    // It stays so until it is asked for.
    bob.click("#reconnect").await;
    for page in [ann, bob] {
        page.until_here(2).await;
    }
}

async fn new_room(ann: &Page, bob: &Page) {
    ann.open_drawer().await;
    ann.click("#room-button").await;
    ann.fill("#room-input", "random stuff").await;
    ann.click("#room-save").await;
    ann.until("$('#room-error').textContent === 'There is a room of that name'").await;
    ann.fill("#room-input", "Garden").await;
    ann.screenshot("11-new-room").await;
    ann.click("#room-save").await;
    ann.until("$('#room-name').textContent === 'Garden' && !$('#text').disabled").await;
    bob.until("texts('#rooms .name').join() === 'General Chat,Random Stuff,Garden'").await;
    ann.open_drawer().await;
    ann.click(".room[data-room=general]").await;
    for page in [ann, bob] {
        page.until_here(2).await;
    }
}

async fn leaving(ann: &Page, bob: &Page) {
    bob.click("#leave").await;
    bob.until("!$('#empty').hidden && $('#text').disabled").await;
    bob.screenshot("4-left").await;
    ann.until("texts('#log .system').at(-1) === 'Bob left'").await;
    ann.until_here(1).await;
    bob.open_drawer().await;
    bob.click(".room[data-room=general]").await;
    for page in [ann, bob] {
        page.until_here(2).await;
    }
    // What was said before is there again.
    bob.until("texts('#log .text').length === 2").await;
    ann.until("texts('#log .system').at(-1) === 'Bob joined'").await;
}
