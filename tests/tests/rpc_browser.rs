//! The page of `examples/rpc` in Chromium, at a desk and on a phone.
//!
//! Screenshots are left in `target/screenshots`.

#[path = "browser/driver.rs"]
mod driver;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use fantoccini::{Client, Locator};
use serde_json::Value;
use switchboard_tests::client::Server;
use tokio::runtime::Builder;

use self::driver::{Driver, Screen};

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn each_request_at_a_desk() {
    each_request(Screen { name: "desk", width: 1280, height: 900, phone: false }).await;
}

#[tokio::test]
async fn each_request_on_the_phone() {
    each_request(Screen { name: "phone", width: 390, height: 844, phone: true }).await;
}

async fn each_request(screen: Screen) {
    // Of its own: all connections end with it.
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let server = {
        let _inside = runtime.enter();
        Server::start(rpc::app())
    };
    let driver = Driver::start();
    let page = Page { browser: driver.open_browser(screen).await, screen };
    page.browser.goto(&format!("http://{}/", server.addr)).await.expect("the page loads");
    page.until("document.querySelector('#status').textContent === 'Connected'").await;
    page.screenshot("1-open").await;

    page.send("calculate").await;
    page.until_shown("calculate", "done", "5").await;
    page.fill("#calculate [name=a]", "1e308").await;
    page.fill("#calculate [name=b]", "1e308").await;
    page.send("calculate").await;
    page.until_shown("calculate", "failed", "INVALID_ARGUMENT: The result is too large").await;

    for (user, status, text) in [
        ("Ann", "done", "Ann, ann@example.com"),
        ("Cleo", "failed", "INTERNAL: Failed to fetch profile"),
        ("Dan", "failed", "NOT_FOUND: User dan not found"),
    ] {
        page.choose("#fetch select", user).await;
        page.send("fetch").await;
        page.until_shown("fetch", status, text).await;
    }

    page.send("export").await;
    page.until_shown("export", "done", "Ann, Bob").await;
    page.until("document.querySelector('#export progress').value === 3").await;

    for (answer, status, text) in
        [("#no", "failed", "FAILED_PRECONDITION: Not confirmed"), ("#yes", "done", "The profile of bob is deleted")]
    {
        page.send("delete").await;
        page.until("document.querySelector('#question-text').textContent === 'Delete the profile of bob?'").await;
        page.screenshot("2-question").await;
        page.click(answer).await;
        page.until_shown("delete", status, text).await;
    }

    page.send("search").await;
    page.until(&result("search", "done", "text.endsWith(' pages in time')")).await;
    page.fill("#search [name=timeoutMs]", "5000").await;
    page.send("search").await;
    page.until_shown("search", "done", "All 20 pages").await;

    for card in ["wait", "primes"] {
        page.send(card).await;
        page.until(&result(card, "running", "true")).await;
        page.screenshot(&format!("3-{card}")).await;
        page.click(&format!("#{card} button[type=button]")).await;
        page.until_shown(card, "failed", "Aborted").await;
    }
    let count = |id: &str, count: u32| format!("document.querySelector('#{id}').textContent === '{count}'");
    page.until(&format!("{} && {}", count("running", 0), count("abandoned", 1))).await;
    page.fill("#wait [name=ms]", "60001").await;
    // The browser refuses what is above the field's limit; the server would, too.
    page.script("document.querySelector('#wait form').noValidate = true").await;
    page.send("wait").await;
    page.until(&result("wait", "failed", "text.startsWith('ms: ')")).await;

    for (key, text) in [("first", "The balance is 10"), ("first", "The balance is 10"), ("second", "The balance is 20")]
    {
        page.fill("#deposit [name=key]", key).await;
        page.send("deposit").await;
        page.until_shown("deposit", "done", text).await;
    }
    page.screenshot("4-done").await;
    assert_eq!(driver.console(&page.browser).await, [""; 0]);
    drop(server);
    runtime.shutdown_background();
    page.until("document.querySelector('#status').textContent === 'Reconnecting…'").await;
    page.screenshot("5-reconnecting").await;
    page.browser.close().await.expect("the browser closes");
}

/// A condition on the result of a card; `text` is what it says.
fn result(card: &str, status: &str, condition: &str) -> String {
    format!(
        "((output) => output.dataset.status === '{status}' && ((text) => {condition})(output.textContent))\
         (document.querySelector('#{card} output'))"
    )
}

struct Page {
    browser: Client,
    screen: Screen,
}

impl Page {
    async fn script(&self, body: &str) -> Value {
        self.browser.execute(body, Vec::new()).await.expect("the script runs")
    }

    /// Waits until a JavaScript expression is true.
    async fn until(&self, condition: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.script(&format!("return Boolean({condition});")).await != true {
            if Instant::now() > deadline {
                self.save("failed").await;
                let text = self.script("return document.body.innerText;").await;
                panic!("waited for {condition} in vain; the page says {text}");
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    async fn until_shown(&self, card: &str, status: &str, text: &str) {
        self.until(&result(card, status, &format!("text === {}", Value::from(text)))).await;
    }

    /// Clicks as a user does: it must be visible and nothing may cover it.
    async fn click(&self, selector: &str) {
        let found = self.browser.find(Locator::Css(selector)).await.expect("the element is there");
        found.click().await.expect("it can be clicked");
    }

    async fn send(&self, card: &str) {
        self.click(&format!("#{card} form > button:not([type])")).await;
    }

    async fn fill(&self, selector: &str, text: &str) {
        let field = self.browser.find(Locator::Css(selector)).await.expect("the field is there");
        field.clear().await.expect("it can be emptied");
        field.send_keys(text).await.expect("it can be typed in");
    }

    async fn choose(&self, selector: &str, label: &str) {
        let field = self.browser.find(Locator::Css(selector)).await.expect("the field is there");
        field.select_by_label(label).await.expect("there is such an option");
    }

    /// Nothing may be wider than the screen.
    async fn screenshot(&self, step: &str) {
        self.until("document.documentElement.scrollWidth <= innerWidth && scrollX === 0").await;
        self.save(step).await;
    }

    async fn save(&self, step: &str) {
        // CARGO_TARGET_TMPDIR is a folder of the target folder.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
        let image = self.browser.screenshot().await.expect("a screenshot");
        fs::create_dir_all(&folder).expect("a folder for screenshots");
        fs::write(folder.join(format!("rpc-{}-{step}.png", self.screen.name)), image).expect("a file");
    }
}
