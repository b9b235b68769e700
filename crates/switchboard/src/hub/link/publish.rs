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
    /// Publishes a message on all nodes.
    pub(crate) fn publish(
        &self,
        topic: &Arc<str>,
        message: &Outgoing,
        except: &[ConnId],
        group: Option<Group>,
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
            // Receivers find it by the rule of the topic, which all nodes have.
            conflation_key: None,
            except: &except,
        };
        let ended = self.input(|cluster, waiting, now| {
            let id = cluster.publish(&topic, &publish, now)?;
            let (sender, ended) = oneshot::channel();
            waiting.publishes.insert(id, sender);
            Ok(ended)
        });
        ended.map(BusPublish).map_err(PublishError::cluster)
    }
}

/// A message that waits until the broker has accepted it, and until this node's subscribers have it. It is published even
/// if this is dropped.
pub(crate) struct BusPublish(oneshot::Receiver<Result<(), ClusterError>>);

impl Future for BusPublish {
    type Output = Result<(), PublishError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|ended| {
            // Without an answer, the runtime of the driver was shut down.
            let ended = ended.unwrap_or(Err(ClusterError::Broker(BrokerErrorKind::Unknown)));
            ended.map_err(PublishError::cluster)
        })
    }
}
