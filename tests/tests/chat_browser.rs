//! The page of `examples/chat` in Chromium: two windows of one browser, on a desk and on a phone.
//!
//! Screenshots are left in `target/screenshots`.

#[path = "browser/driver.rs"]
mod driver;
#[path = "chat_browser/page.rs"]
mod page;
#[path = "chat_browser/server.rs"]
mod server;

use self::{
    driver::{Driver, Screen},
    page::Page,
    server::Server,
};

#[tokio::test]
async fn row_002_25_two_people_at_a_desk() {
    chat_through_a_restart(Screen { name: "desk", width: 1280, height: 800, phone: false }).await;
}

#[tokio::test]
async fn row_002_25_two_people_on_the_phone() {
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
    leaving(&ann, &bob).await;
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
