//! One connection at work: writes commands, matches answers, passes on what the server pushes.

use std::{borrow::Cow, collections::VecDeque, io, time::Duration};

use bytes::BytesMut;
use redis::{PushKind, Value};
use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::codec::Decoder;

use super::{connect::Connection, request::Request};
use crate::command::Command;

/// Takes no more requests from the queue while that much is to be written.
const OUTPUT_BYTES: usize = 64 * 1024;
/// How much is read at a time, at least.
const INPUT_BYTES: usize = 16 * 1024;

/// When a link is taken for dead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    /// After that much silence a `PING` is sent.
    pub(crate) ping_interval: Duration,
    /// After that much silence although an answer is due, the link is dead.
    pub(crate) response_timeout: Duration,
}

/// Runs a connection until it is lost, and returns why.
///
/// When it returns or is dropped, all requests have their outcome.
pub(crate) async fn drive(
    connection: Connection,
    mut requests: mpsc::Receiver<Request>,
    timing: Timing,
    mut on_push: impl FnMut(PushKind, Vec<Value>),
) -> Cow<'static, str> {
    let Connection { stream, mut input, mut codec, .. } = connection;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut output = BytesMut::new();
    let mut is_flushed = true;
    let mut in_flight = InFlight::default();
    let mut alive_at = Instant::now();
    let mut checks = interval(timing.response_timeout.min(timing.ping_interval) / 4);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        loop {
            match codec.decode(&mut input) {
                Ok(Some(Value::Push { kind, data })) => in_flight.push(kind, data, &mut on_push),
                Ok(Some(value)) => {
                    if let Err(reason) = in_flight.answer(value) {
                        return reason.into();
                    }
                }
                Ok(None) => break,
                Err(error) => return format!("the server sent what is not RESP3: {error}").into(),
            }
        }
        input.reserve(INPUT_BYTES);
        tokio::select! {
            read = reader.read_buf(&mut input) => match read {
                Ok(0) => return "closed by the server".into(),
                Ok(_) => alive_at = Instant::now(),
                Err(error) => return error.to_string().into(),
            },
            written = write(&mut writer, &mut output), if !output.is_empty() || !is_flushed => match written {
                Ok(flushed) => {
                    is_flushed = flushed;
                    // The server takes what had to wait, so it is alive. What was written at once says nothing: the
                    // system takes it, whether the server is alive or not.
                    if !output.is_empty() {
                        alive_at = Instant::now();
                    }
                }
                Err(error) => return error.to_string().into(),
            },
            request = requests.recv(), if output.len() < OUTPUT_BYTES => {
                // None is left that could send more.
                let Some(mut request) = request else { return "not needed any more".into() };
                loop {
                    in_flight.send(request, &mut output);
                    request = match requests.try_recv() {
                        Ok(request) if output.len() < OUTPUT_BYTES => request,
                        Ok(last) => {
                            in_flight.send(last, &mut output);
                            break;
                        }
                        Err(_) => break,
                    };
                }
                is_flushed = false;
            },
            now = checks.tick() => match in_flight.oldest_sent_at() {
                Some(sent_at) if now.saturating_duration_since(sent_at.max(alive_at)) >= timing.response_timeout => {
                    return format!("no answer within {:?}", timing.response_timeout).into();
                }
                None if now.saturating_duration_since(alive_at) >= timing.ping_interval => {
                    in_flight.send(Request::internal(Command::words(["PING"]), drop), &mut output);
                    is_flushed = false;
                }
                _ => {}
            },
        }
    }
}

/// Writes a part of the output, or flushes if nothing is left of it. Returns whether it has flushed.
async fn write(writer: &mut (impl AsyncWrite + Unpin), output: &mut BytesMut) -> io::Result<bool> {
    if output.is_empty() {
        writer.flush().await?;
        return Ok(true);
    }
    if writer.write_buf(output).await? == 0 {
        return Err(io::ErrorKind::WriteZero.into());
    }
    Ok(false)
}

/// Requests that were sent, in the order of their answers.
#[derive(Default)]
struct InFlight(VecDeque<(Request, Instant)>);

impl InFlight {
    fn send(&mut self, mut request: Request, output: &mut BytesMut) {
        request.command.encode(output);
        request.set_sent();
        self.0.push_back((request, Instant::now()));
    }

    fn oldest_sent_at(&self) -> Option<Instant> {
        self.0.front().map(|(_, sent_at)| *sent_at)
    }

    fn push(&mut self, kind: PushKind, data: Vec<Value>, on_push: &mut impl FnMut(PushKind, Vec<Value>)) {
        if self.0.front().is_some_and(|(request, _)| request.command.is_answered_by(&kind, &data)) {
            if let Some((request, _)) = self.0.pop_front() {
                request.answer(Value::Okay);
            }
        } else {
            on_push(kind, data);
        }
    }

    fn answer(&mut self, value: Value) -> Result<(), &'static str> {
        let (request, _) = self.0.pop_front().ok_or("the server answered what was not asked")?;
        if request.command.expects_push() && !matches!(value, Value::ServerError(_)) {
            return Err("the server answered a subscription with something else");
        }
        request.answer(value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_push_that_nobody_asked_for_is_no_answer() {
        let mut in_flight = InFlight::default();
        let (answers, answered) = mpsc::channel();
        let mut send = |command| {
            let answers = answers.clone();
            let request = Request::internal(command, move |outcome| drop(answers.send(outcome.unwrap())));
            in_flight.send(request, &mut BytesMut::new());
        };
        send(Command::words(["PING"]));
        send(Command::Unsubscribe { sharded: true, channel: "b".into() });
        let ended = |channel: &str| vec![Value::BulkString(channel.into()), Value::Int(0)];
        let mut pushed = Vec::new();
        let mut push = |in_flight: &mut InFlight, channel| {
            in_flight.push(PushKind::SUnsubscribe, ended(channel), &mut |_, data| pushed.push(data));
        };
        // The slot of `a` moves while both commands wait for their answers.
        push(&mut in_flight, "a");
        in_flight.answer(Value::SimpleString("PONG".into())).unwrap();
        push(&mut in_flight, "b");
        assert_eq!(pushed, [ended("a")]);
        let answers: Vec<_> = answered.try_iter().collect();
        assert_eq!(answers, [Value::SimpleString("PONG".into()), Value::Okay]);
        assert!(in_flight.answer(Value::Okay).is_err(), "nothing is asked any more");
    }

    #[test]
    fn a_subscription_is_answered_by_a_push_or_an_error() {
        let command = || Command::Subscribe { sharded: false, channel: "a".into() };
        let mut in_flight = InFlight::default();
        in_flight.send(Request::internal(command(), drop), &mut BytesMut::new());
        assert!(in_flight.answer(Value::Okay).is_err());
    }
}
