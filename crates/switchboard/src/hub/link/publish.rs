//! Publishing through the broker.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use switchboard_cluster::{ClusterError, Publish};
use switchboard_core::broker::BrokerErrorKind;
use tokio::sync::oneshot;

use super::{Group, Link, live::topic_name, payload};
use crate::{
    conn::ConnId,
    hub::{PublishError, publish::Outgoing},
};

impl Link {
    /// Publishes a message on all nodes. If it is unconfirmed, only room is waited for.
    pub(crate) fn publish(
        &self,
        topic: &Arc<str>,
        message: &Outgoing,
        except: &[ConnId],
        group: Option<Group>,
        conflation_key: Option<&str>,
        unconfirmed: bool,
    ) -> Result<BusPublish, PublishError> {
        let topic = topic_name(topic);
        let payload = payload::encode(message.frame(), group);
        let (Some(topic), Some(payload)) = (topic, payload) else {
            return Err(PublishError::cluster(ClusterError::Broker(BrokerErrorKind::Rejected)));
        };
        let except: Vec<[u8; 16]> = except.iter().map(|id| *id.as_bytes()).collect();
        let publish = Publish {
            message_type: message.message_type(),
            payload: &payload,
            conflation_key,
            except: &except,
            unconfirmed,
        };
        let publish = self.input(|cluster, waiting, now| {
            let id = cluster.publish(&topic, &publish, now)?;
            if unconfirmed {
                return Ok(BusPublish::Queued { yields: cluster.is_backlogged() });
            }
            let (sender, ended) = oneshot::channel();
            waiting.publishes.insert(id, sender);
            Ok(BusPublish::Waiting(ended))
        });
        publish.map_err(PublishError::cluster)
    }
}

/// A message in the queue of the bus. It is published even if this is dropped.
pub(crate) enum BusPublish {
    /// Waits until the broker has accepted it, and until this node's subscribers have it.
    Waiting(oneshot::Receiver<Result<(), ClusterError>>),
    /// Waits for nothing, but lets other tasks run once if the queue is half full: the task of the link must come to its
    /// turn between the publishes of a loop.
    Queued { yields: bool },
}

impl Future for BusPublish {
    type Output = Result<(), PublishError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Waiting(ended) => Pin::new(ended).poll(cx).map(|ended| {
                // Without an answer, the runtime of the driver was shut down.
                let ended = ended.unwrap_or(Err(ClusterError::Broker(BrokerErrorKind::Unknown)));
                ended.map_err(PublishError::cluster)
            }),
            Self::Queued { yields } => {
                if std::mem::take(yields) {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(Ok(()))
            }
        }
    }
}
