//! What the caller has not taken from the state machine yet.

use std::collections::VecDeque;

use crate::{BrokerCall, Output};

/// A queue that knows how many bytes of messages it has.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    queue: VecDeque<Output>,
    bytes: usize,
}

impl Outputs {
    pub(crate) fn push_back(&mut self, output: Output) {
        self.bytes += bytes(&output);
        self.queue.push_back(output);
    }

    pub(crate) fn pop_front(&mut self) -> Option<Output> {
        let output = self.queue.pop_front()?;
        self.bytes -= bytes(&output);
        Some(output)
    }

    #[cfg(test)]
    pub(crate) fn take(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.pop_front()).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Returns the bytes of all messages in it.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Returns the bytes of the messages that an output carries.
fn bytes(output: &Output) -> usize {
    match output {
        Output::Call { call: BrokerCall::Publish(_, message), .. } => message.len(),
        Output::Deliver(delivery) => delivery.payload.len(),
        Output::Command(command) => command.payload.len(),
        Output::ClientRequest(request) => request.payload.len(),
        Output::Question { payload, .. } | Output::ClientResponse { payload, .. } => payload.len(),
        Output::Answers { answers, .. } => answers.iter().map(|(_, answer)| answer.len()).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use switchboard_core::broker::Channel;

    use super::*;
    use crate::OperationId;

    #[test]
    fn the_bytes_of_messages_are_counted_while_they_are_in_it() {
        let mut outputs = Outputs::default();
        let call = BrokerCall::Publish(Channel::AllNodes, Bytes::from_static(b"12345"));
        outputs.push_back(Output::Call { operation: OperationId(1), call });
        outputs.push_back(Output::Reconnect);
        assert_eq!((outputs.len(), outputs.bytes()), (2, 5));
        assert!(matches!(outputs.pop_front(), Some(Output::Call { .. })));
        assert_eq!((outputs.len(), outputs.bytes()), (1, 0));
        assert_eq!((outputs.pop_front(), outputs.pop_front()), (Some(Output::Reconnect), None));
    }
}
