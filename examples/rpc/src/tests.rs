//! Tests the handlers in memory with the test kit, `switchboard::test`, and keeps the generated client up to date.

use std::time::Duration;

use switchboard::{WsError, test::TestApp};
use switchboard_codegen::{AsyncApi, TypeScript};
use tokio::time::Instant;

use crate::{
    app, contract,
    messages::{
        Calculate, Confirm, Confirmed, DeleteProfile, Deposit, ExportProfiles, FetchProfile, GetBalance, Operation,
        Search, Wait,
    },
};

fn test_app() -> TestApp {
    TestApp::axum(app(), "/ws")
}

#[tokio::test(start_paused = true)]
async fn sums_are_returned_or_refused_as_too_large() {
    let mut ann = test_app().connect().await.unwrap();
    let sum = ann.call(Calculate { operation: Operation::Add, a: 2.0, b: 3.0 }).await.unwrap();
    assert_eq!(sum.result, 5.0);
    let large = Calculate { operation: Operation::Multiply, a: 1e200, b: 1e200 };
    let error = ann.call(large).expect_error("INVALID_ARGUMENT").await;
    assert_eq!(error.message(), "The result is too large");
}

#[tokio::test(start_paused = true)]
async fn profiles_are_found_or_missing_or_damaged() {
    let mut ann = test_app().connect().await.unwrap();
    let profile = ann.call(FetchProfile { user_id: "ann".into() }).await.unwrap();
    assert_eq!((profile.name.as_str(), profile.email.as_str()), ("Ann", "ann@example.com"));
    ann.call(FetchProfile { user_id: "dan".into() }).expect_error("NOT_FOUND").await;
    let error = ann.call(FetchProfile { user_id: "cleo".into() }).expect_error("INTERNAL").await;
    assert_eq!(error.message(), "Failed to fetch profile");
}

#[tokio::test(start_paused = true)]
async fn an_export_reports_progress() {
    let mut ann = test_app().connect().await.unwrap();
    let mut steps = Vec::new();
    let exported = ann.call(ExportProfiles {}).on_progress(|step| steps.push((step.done, step.total))).await.unwrap();
    assert_eq!(steps, [(1, 3), (2, 3), (3, 3)]);
    assert_eq!(exported.names, ["Ann", "Bob"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_deleted_without_confirmation() {
    let delete = || DeleteProfile { user_id: "bob".into() };
    let mut ann = test_app().connect().await.unwrap();
    ann.answer(|_: Confirm| Confirmed { yes: false });
    ann.call(delete()).expect_error("FAILED_PRECONDITION").await;
    ann.answer(|_: Confirm| Err::<Confirmed, _>(WsError::unavailable("the user is absent")));
    ann.call(delete()).expect_error("UNAVAILABLE").await;
    ann.answer(|confirm: Confirm| Confirmed { yes: confirm.question == "Delete the profile of bob?" });
    assert_eq!(ann.call(delete()).await.unwrap().user_id, "bob");
    ann.call(delete()).expect_error("NOT_FOUND").await;
}

#[tokio::test(start_paused = true)]
async fn a_search_stops_in_time() {
    let mut ann = test_app().connect().await.unwrap();
    let search = || Search { text: "a".into() };
    let found = ann.call(search()).await.unwrap();
    assert_eq!((found.pages, found.complete), (20, true));
    let found = ann.call(search()).timeout(Duration::from_millis(400)).await.unwrap();
    assert!(found.pages > 0 && !found.complete, "{} pages", found.pages);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_an_abort_a_deadline_or_a_reply() {
    let mut ann = test_app().connect().await.unwrap();
    let begin = Instant::now();
    let long = ann.call(Wait { ms: 2000 }).start().await;
    let unwanted = ann.call(Wait { ms: 60_000 }).start().await;
    let impatient = ann.call(Wait { ms: 60_000 }).timeout(Duration::from_secs(1)).start().await;
    ann.abort(&unwanted).await;
    assert_eq!(ann.reply(unwanted).await.err().unwrap().code().as_str(), "CANCELLED");
    assert_eq!(ann.reply(impatient).await.err().unwrap().code().as_str(), "DEADLINE_EXCEEDED");
    assert_eq!(ann.reply(long).await.unwrap().ms, 2000);
    // Two seconds of the paused clock.
    assert!(begin.elapsed() >= Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_deposit_is_booked_once_even_if_the_client_leaves() {
    let app = test_app();
    let deposit = || Deposit { account_id: "a".into(), amount: 10 };
    let balance = || GetBalance { account_id: "a".into() };
    let mut ann = app.connect().await.unwrap();
    for _ in 0..2 {
        let booked = ann.call(deposit()).idempotency_key("k").await.unwrap();
        assert_eq!((booked.balance, booked.pending), (10, 0));
    }
    ann.call(deposit()).start().await;
    app.settle().await;
    let mut bob = app.connect().await.unwrap();
    assert_eq!(bob.call(balance()).await.unwrap().pending, 10);
    drop(ann);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let booked = bob.call(balance()).await.unwrap();
    assert_eq!((booked.balance, booked.pending), (20, 0));
}

#[test]
fn the_client_is_up_to_date() {
    let client = TypeScript::new().route("rpc", &contract()).javascript().standalone().generate();
    let client = client.unwrap_or_else(|error| panic!("{error}"));
    client.check("static/client/rpc.js").unwrap_or_else(|error| panic!("{error}"));
}

/// The npm package reads the document with a parser of other authors.
#[test]
fn the_asyncapi_document_is_up_to_date() {
    let document = AsyncApi::new("rpc", "1.0.0").route("rpc", &contract()).generate();
    let path = "../../crates/switchboard-codegen/typescript/test/asyncapi/rpc.json";
    document.check(path).unwrap_or_else(|error| panic!("{error}"));
}
