//! The page in Chromium: two windows, through a balancer, while a node and the broker are killed.
//!
//! Screenshots are left in `target/screenshots`.

use crate::{
    driver::{Driver, Screen},
    page::Page,
    running::Running,
};

#[tokio::test]
async fn the_page_goes_on_at_a_desk() {
    the_page_goes_on(Screen { name: "desk", width: 1280, height: 800, phone: false }).await;
}

#[tokio::test]
async fn the_page_goes_on_on_the_phone() {
    the_page_goes_on(Screen { name: "phone", width: 390, height: 844, phone: true }).await;
}

async fn the_page_goes_on(screen: Screen) {
    let mut running = Running::start("redis", "nginx").await;
    let driver = Driver::start();
    let browser = driver.open_browser(screen).await;
    let ann = Page::open(&browser, screen, "ann", &running.url()).await;
    let bob = Page::open(&browser, screen, "bob", &running.url()).await;
    for page in [&ann, &bob] {
        page.until_here(2).await;
        page.until(&format!("innerWidth === {} && innerHeight === {}", screen.width, screen.height)).await;
    }
    ann.rename("Ann").await;
    bob.rename("Bob").await;
    // Each has heard of the other, whichever came first.
    for page in [&ann, &bob] {
        page.until("texts('#members .name').join() === 'Ann,Bob'").await;
    }
    // Nobody is told of their own coming; who came first has seen the other.
    ann.until("texts('#log .system').filter((text) => text.includes(' joined ')).length === 1").await;
    bob.until("!texts('#log .system').some((text) => text.includes(' joined '))").await;
    ann.fill("#text", "Hel").await;
    bob.until("$('#typing').textContent === 'Ann is typing…'").await;
    bob.screenshot("1-typing").await;
    let markup = "Hello <b>Bob</b>, I write through another node";
    ann.say(markup).await;
    bob.until_said(markup).await;
    bob.until("!$('#log .text b') && $('#log .message:not(.own) .badge').textContent.includes('node ')").await;
    bob.say("And I read it here, in a line that needs more than one row on a small screen").await;
    ann.until("texts('#log .text').at(-1).startsWith('And I read') && $('#outbox').children.length === 0").await;
    ann.screenshot("2-messages").await;
    // Before anything is killed: a refused connection is an entry, too.
    assert_eq!(driver.console(&browser).await, [""; 0]);

    a_node_is_killed(&mut running, &ann, &bob).await;
    the_broker_is_killed(&mut running, &ann, &bob).await;
    for page in [&ann, &bob] {
        page.people("6-people").await;
    }
    browser.close().await.unwrap();
    running.quit().await;
}

async fn a_node_is_killed(running: &mut Running, ann: &Page, bob: &Page) {
    let node = bob.node().await;
    running.line(&format!("kill {}", node.strip_prefix("node ").unwrap())).await;
    running.until(&node, "killed").await;
    bob.until(&format!("texts('#log .notice').includes('The connection to {node} is lost.')")).await;
    bob.until("texts('#log .notice').some((text) => text.startsWith('Back through'))").await;
    bob.until_here(2).await;
    assert_ne!(bob.node().await, node);
    bob.screenshot("3-moved").await;
    bob.say("I am back through another node").await;
    ann.until_said("I am back through another node").await;
    ann.until("texts('#log .text').filter((text) => text.startsWith('I am back')).length === 1").await;
    running.line(&format!("restart {}", node.strip_prefix("node ").unwrap())).await;
    running.until(&node, "healthy").await;
}

async fn the_broker_is_killed(running: &mut Running, ann: &Page, bob: &Page) {
    running.line("kill broker").await;
    for page in [ann, bob] {
        page.until("$('#connection').dataset.link === 'down'").await;
        page.until("texts('#log .notice').some((text) => text.includes('has lost the broker'))").await;
    }
    // What is written meanwhile is kept, and sent when that is possible.
    ann.say("Written without a broker").await;
    ann.until("texts('#outbox .delivery').join() === 'Waiting to be sent…'").await;
    ann.screenshot("4-no-broker").await;
    running.line("restart broker").await;
    for page in [ann, bob] {
        page.until("texts('#log .notice').some((text) => text.endsWith('was without the broker for a while (reason: broker).'))").await;
        page.until("$('#connection').dataset.link === 'up'").await;
    }
    // It was sent as soon as her node was back. If his was later, he has missed it, and was told that he may have.
    ann.until("texts('#log .text').filter((text) => text === 'Written without a broker').length === 1").await;
    ann.until("$('#outbox').children.length === 0").await;
    ann.say("Everybody is back").await;
    for page in [ann, bob] {
        page.until_said("Everybody is back").await;
        page.screenshot("5-back").await;
    }
}
