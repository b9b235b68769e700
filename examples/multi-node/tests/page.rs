//! One window with the page, and what somebody does in it.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use fantoccini::{Client, Locator, elements::Element, wd::WindowHandle};
use serde_json::Value;

use crate::driver::Screen;

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

const SHORTHANDS: &str = "const $ = (selector) => document.querySelector(selector); \
                          const texts = (selector) => [...document.querySelectorAll(selector)].map((n) => n.textContent);";

pub(crate) struct Page {
    browser: Client,
    window: WindowHandle,
    screen: Screen,
    who: &'static str,
}

impl Page {
    /// A window of its own, which knows nothing of the others.
    pub(crate) async fn open(browser: &Client, screen: Screen, who: &'static str, url: &str) -> Self {
        let window = browser.new_window(false).await.unwrap().handle;
        let page = Self { browser: browser.clone(), window, screen, who };
        page.front().await.goto(url).await.unwrap();
        page
    }

    /// The browser, which does everything in the window that was chosen last.
    async fn front(&self) -> &Client {
        self.browser.switch_to_window(self.window.clone()).await.unwrap();
        &self.browser
    }

    async fn script(&self, body: &str) -> Value {
        self.front().await.execute(&format!("{SHORTHANDS} {body}"), Vec::new()).await.unwrap()
    }

    /// Waits until a JavaScript expression is true.
    pub(crate) async fn until(&self, condition: &str) {
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
    pub(crate) async fn until_here(&self, people: usize) {
        self.until("$('#connection').dataset.state === 'open' && $('#connection-text .badge')").await;
        self.until(&format!("$('#room-count').textContent.startsWith('{people} on all nodes, ')")).await;
    }

    /// The node of its connection.
    pub(crate) async fn node(&self) -> String {
        self.until("$('#connection-text .badge')").await;
        self.script("return $('#connection-text .badge').textContent;").await.as_str().unwrap().to_owned()
    }

    pub(crate) async fn until_said(&self, text: &str) {
        self.until(&format!("texts('#log .text').at(-1) === {}", Value::from(text))).await;
    }

    async fn find(&self, selector: &str) -> Element {
        self.until(&format!("$('{selector}')")).await;
        self.browser.find(Locator::Css(selector)).await.unwrap()
    }

    /// Clicks as a user does: it must be visible and nothing may cover it.
    pub(crate) async fn click(&self, selector: &str) {
        self.find(selector).await.click().await.unwrap();
    }

    /// Types into a field, which is emptied before.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        let field = self.find(selector).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Writes a message and sends it with the enter key.
    pub(crate) async fn say(&self, text: &str) {
        self.fill("#text", &format!("{text}\u{e007}")).await;
    }

    pub(crate) async fn rename(&self, name: &str) {
        self.toggle_drawer().await;
        self.click("#name-button").await;
        self.fill("#name-input", name).await;
        self.click("#name-save").await;
        self.until(&format!("!$('#name-dialog').open && $('#me').textContent === '{name}'")).await;
        self.toggle_drawer().await;
    }

    /// A screenshot of rooms and people.
    pub(crate) async fn people(&self, step: &str) {
        self.until("document.querySelectorAll('#members .badge').length === 2").await;
        self.toggle_drawer().await;
        self.screenshot(step).await;
        self.toggle_drawer().await;
    }

    /// Rooms and people are behind a button on a small screen.
    async fn toggle_drawer(&self) {
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

    /// Also checks that nothing is wider than the screen.
    pub(crate) async fn screenshot(&self, step: &str) {
        self.settle().await;
        self.until("document.documentElement.scrollWidth <= innerWidth && scrollX === 0").await;
        self.save(step).await;
    }

    async fn save(&self, step: &str) {
        // CARGO_TARGET_TMPDIR is a folder of the target folder.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
        let image = self.front().await.screenshot().await.unwrap();
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("multi-node-{}-{step}-{}.png", self.screen.name, self.who)), image).unwrap();
    }
}
