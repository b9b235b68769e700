//! One window with the chat, and what somebody does in it.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use fantoccini::{Client, Locator, elements::Element, wd::WindowHandle};
use serde_json::Value;

use crate::driver::Screen;

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

const SHORTHANDS: &str = "const $ = (selector) => document.querySelector(selector); \
                          const texts = (selector) => [...document.querySelectorAll(selector)].map((n) => n.textContent);";

pub(super) struct Page {
    browser: Client,
    window: WindowHandle,
    screen: Screen,
    who: &'static str,
}

impl Page {
    /// A window of its own, which knows nothing of the others.
    pub(super) async fn open(browser: &Client, screen: Screen, who: &'static str, url: &str) -> Self {
        let window = browser.new_window(false).await.expect("a window").handle;
        let page = Self { browser: browser.clone(), window, screen, who };
        page.front().await.goto(url).await.expect("the page loads");
        page
    }

    /// The browser, which does everything in the window that was chosen last.
    async fn front(&self) -> &Client {
        self.browser.switch_to_window(self.window.clone()).await.expect("the window is there");
        &self.browser
    }

    pub(super) async fn script(&self, body: &str) -> Value {
        self.front().await.execute(&format!("{SHORTHANDS} {body}"), Vec::new()).await.expect("the script runs")
    }

    /// Waits until a JavaScript expression is true.
    pub(super) async fn until(&self, condition: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.script(&format!("return Boolean({condition});")).await != true {
            if Instant::now() > deadline {
                self.save("failed").await;
                let text = self.script("return document.body.innerText;").await;
                panic!("{} waited for {condition} in vain; the page says {text}", self.who);
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Online, in the room, and so many are there.
    pub(super) async fn until_here(&self, people: usize) {
        let count = if people == 1 { "1 person here".to_owned() } else { format!("{people} people here") };
        self.until("$('#connection').dataset.state === 'open' && $('#connection-text').textContent === 'Online'").await;
        self.until("$('#room-name').textContent === 'General Chat' && !$('#text').disabled").await;
        self.until(&format!("$('#room-count').textContent === '{count}'")).await;
        self.until(&format!("document.querySelectorAll('#members li').length === {people}")).await;
    }

    pub(super) async fn until_said(&self, text: &str) {
        self.until(&format!("texts('#log .text').at(-1) === {}", Value::from(text))).await;
    }

    async fn find(&self, selector: &str) -> Element {
        self.until(&format!("$('{selector}')")).await;
        self.browser.find(Locator::Css(selector)).await.expect("the element is there")
    }

    /// Clicks as a user does: it must be visible and nothing may cover it.
    pub(super) async fn click(&self, selector: &str) {
        self.find(selector).await.click().await.expect("it can be clicked");
    }

    /// Types into a field, which is emptied before.
    pub(super) async fn fill(&self, selector: &str, text: &str) {
        let field = self.find(selector).await;
        field.clear().await.expect("it can be emptied");
        field.send_keys(text).await.expect("it can be typed in");
    }

    /// Writes a message and sends it with the enter key.
    pub(super) async fn say(&self, text: &str) {
        self.fill("#text", &format!("{text}\u{e007}")).await;
    }

    /// Rooms and people are behind a button on a small screen.
    pub(super) async fn open_drawer(&self) {
        if self.screen.phone {
            self.click("#menu-button").await;
            self.settle().await;
            self.save("drawer").await;
        }
    }

    pub(super) async fn close_drawer(&self) {
        if self.screen.phone {
            self.click("#menu-button").await;
            self.settle().await;
        }
    }

    /// Waits for the end of all that moves, but for what moves for ever.
    async fn settle(&self) {
        let ends = "document.getAnimations().every((a) => a.effect.getComputedTiming().iterations === Infinity)";
        self.until(ends).await;
    }

    pub(super) async fn screenshot(&self, step: &str) {
        self.settle().await;
        self.until("document.documentElement.scrollWidth <= innerWidth && scrollX === 0").await;
        self.save(step).await;
    }

    async fn save(&self, step: &str) {
        // CARGO_TARGET_TMPDIR is a folder of the target folder.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
        let image = self.front().await.screenshot().await.expect("a screenshot");
        fs::create_dir_all(&folder).expect("a folder for screenshots");
        fs::write(folder.join(format!("chat-{}-{step}-{}.png", self.screen.name, self.who)), image)
            .expect("a file for a screenshot");
    }
}
