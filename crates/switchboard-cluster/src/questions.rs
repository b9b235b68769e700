//! Questions to all nodes, which end when all have answered, or after a while.

use std::time::Duration;

use bytes::Bytes;
use rustc_hash::{FxHashMap, FxHashSet};
use switchboard_core::broker::NodeId;

use crate::{ClusterConfig, ClusterError, Output, QuestionId, deadlines::Deadlines, outputs::Outputs};

#[derive(Debug)]
pub(crate) struct Questions {
    next: u64,
    pending: FxHashMap<u64, PendingQuestion>,
    deadlines: Deadlines<u64>,
    max_pending: usize,
}

#[derive(Debug)]
struct PendingQuestion {
    /// Nodes that have not answered.
    expected: FxHashSet<NodeId>,
    answers: Vec<(NodeId, Bytes)>,
    /// Whether all nodes that are known were up when it was asked.
    is_certain: bool,
}

impl Questions {
    pub(crate) fn new(config: &ClusterConfig) -> Self {
        Self {
            next: 0,
            pending: FxHashMap::default(),
            deadlines: Deadlines::new(config.question_timeout),
            max_pending: config.max_pending_questions,
        }
    }

    pub(crate) fn ask(
        &mut self,
        expected: FxHashSet<NodeId>,
        is_certain: bool,
        now: Duration,
    ) -> Result<u64, ClusterError> {
        if self.pending.len() >= self.max_pending {
            return Err(ClusterError::TooManyQuestions { limit: self.max_pending });
        }
        self.next += 1;
        self.pending.insert(self.next, PendingQuestion { expected, answers: Vec::new(), is_certain });
        self.deadlines.start(self.next, now);
        Ok(self.next)
    }

    pub(crate) fn answered(
        &mut self,
        question: u64,
        node: NodeId,
        payload: Bytes,
        max_nodes: usize,
        outputs: &mut Outputs,
    ) {
        let Some(pending) = self.pending.get_mut(&question) else { return };
        let is_first = pending.expected.remove(&node) || pending.answers.iter().all(|(other, _)| *other != node);
        if is_first && pending.answers.len() <= max_nodes {
            pending.answers.push((node, payload));
        }
        if pending.expected.is_empty() {
            self.end(question, outputs);
        }
    }

    /// A node that is gone cannot answer: what it would have said is unknown.
    pub(crate) fn end(&mut self, question: u64, outputs: &mut Outputs) {
        if let Some(ended) = self.pending.remove(&question) {
            let is_complete = ended.expected.is_empty() && ended.is_certain;
            outputs.push_back(Output::Answers { question: QuestionId(question), answers: ended.answers, is_complete });
        }
    }

    pub(crate) fn tick(&mut self, now: Duration, outputs: &mut Outputs) {
        while let Some(question) = self.deadlines.pop(now) {
            self.end(question, outputs);
        }
        let pending = &self.pending;
        self.deadlines.shrink(pending.len(), |question| pending.contains_key(question));
    }

    pub(crate) fn next_timeout(&self) -> Option<Duration> {
        self.deadlines.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: u8) -> NodeId {
        NodeId::from_bytes([id; 16])
    }

    fn ask(questions: &mut Questions, nodes: &[u8]) -> u64 {
        questions.ask(nodes.iter().map(|id| node(*id)).collect(), true, Duration::ZERO).unwrap()
    }

    fn ended(outputs: &mut Outputs) -> Option<(usize, bool)> {
        outputs.pop_front().map(|output| match output {
            Output::Answers { answers, is_complete, .. } => (answers.len(), is_complete),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn a_question_ends_when_all_have_answered_or_in_time() {
        let mut questions = Questions::new(&ClusterConfig::new());
        let mut outputs = Outputs::default();
        let (first, second) = (ask(&mut questions, &[1, 2]), ask(&mut questions, &[1, 2]));
        for id in [1, 1, 2, 2] {
            questions.answered(first, node(id), Bytes::new(), 10, &mut outputs);
        }
        assert_eq!(ended(&mut outputs), Some((2, true)));
        questions.answered(second, node(2), Bytes::new(), 10, &mut outputs);
        questions.tick(Duration::from_millis(299), &mut outputs);
        assert_eq!(ended(&mut outputs), None);
        questions.tick(Duration::from_millis(300), &mut outputs);
        assert_eq!((ended(&mut outputs), ended(&mut outputs)), (Some((1, false)), None));
    }

    #[test]
    fn questions_are_limited() {
        let mut questions = Questions::new(&ClusterConfig::new().max_pending_questions(1));
        ask(&mut questions, &[1]);
        let error = questions.ask(FxHashSet::default(), true, Duration::ZERO).unwrap_err();
        assert_eq!(error, ClusterError::TooManyQuestions { limit: 1 });
    }
}
