//! The poll, and who votes for what.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use switchboard::{ConnId, WsError};

use crate::messages::{Ask, Choice, Poll, Vote};

/// The maximum number of people, which bounds the server's memory and the size of `POLL`.
const MAX_PEOPLE: usize = 200;

/// The poll, shared by all connections.
#[derive(Clone, Default)]
pub(crate) struct Board(Arc<Mutex<State>>);

struct State {
    version: u32,
    number: u32,
    question: String,
    labels: Vec<String>,
    /// The result of a closed poll, which stays when voters leave. `None` while the poll is open.
    result: Option<Vec<Choice>>,
    /// Connections have ascending ids, so the first person stands first.
    people: BTreeMap<ConnId, Person>,
}

struct Person {
    name: String,
    /// The index of a choice.
    vote: Option<usize>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: 0,
            number: 1,
            question: "What shall we have for lunch?".into(),
            labels: ["Noodle soup", "Pizza", "Falafel", "What is in the fridge"].map(Into::into).into(),
            result: None,
            people: BTreeMap::new(),
        }
    }
}

impl Board {
    pub(crate) fn poll(&self) -> Poll {
        self.0.lock().poll()
    }

    /// Adds a person, or renames one who has joined.
    pub(crate) fn join(&self, id: ConnId, name: &str) -> Result<Poll, WsError> {
        let mut state = self.0.lock();
        if state.people.iter().any(|(other, person)| *other != id && person.name == name) {
            return Err(WsError::new("NAME_TAKEN", format!("The name {name} is taken")));
        }
        if state.people.len() >= MAX_PEOPLE && !state.people.contains_key(&id) {
            return Err(WsError::new("POLL_FULL", format!("The poll is full (limit {MAX_PEOPLE})")));
        }
        let vote = state.people.get(&id).and_then(|person| person.vote);
        state.people.insert(id, Person { name: name.to_owned(), vote });
        Ok(state.changed())
    }

    /// Removes a person and the vote. Returns `None` if the connection has not joined.
    pub(crate) fn leave(&self, id: ConnId) -> Option<Poll> {
        let mut state = self.0.lock();
        state.people.remove(&id)?;
        Some(state.changed())
    }

    /// Sets the vote of a person. Returns the label of the choice, too.
    pub(crate) fn vote(&self, id: ConnId, vote: &Vote) -> Result<(String, Poll), WsError> {
        let mut state = self.0.lock();
        state.check_open(id, vote.number)?;
        let choice = usize::try_from(vote.choice).map_err(WsError::internal)?;
        let label = state.labels.get(choice).cloned();
        let label = label.ok_or_else(|| WsError::not_found(format!("There is no choice {choice}")))?;
        if let Some(person) = state.people.get_mut(&id) {
            person.vote = Some(choice);
        }
        Ok((label, state.changed()))
    }

    /// Replaces a closed poll.
    pub(crate) fn ask(&self, id: ConnId, ask: Ask) -> Result<Poll, WsError> {
        let mut state = self.0.lock();
        state.check_joined(id)?;
        if state.result.is_none() {
            return Err(WsError::new("POLL_OPEN", "The poll is still open"));
        }
        state.number = state.number.wrapping_add(1);
        (state.question, state.labels, state.result) = (ask.question, ask.choices, None);
        for person in state.people.values_mut() {
            person.vote = None;
        }
        Ok(state.changed())
    }

    /// Fails if the connection has not joined, or the poll of this number is closed.
    pub(crate) fn check_open(&self, id: ConnId, number: u32) -> Result<(), WsError> {
        self.0.lock().check_open(id, number)
    }

    /// Closes the poll. Returns the labels of the choices with the most votes, too.
    pub(crate) fn close(&self, id: ConnId, number: u32) -> Result<(Vec<String>, Poll), WsError> {
        let mut state = self.0.lock();
        state.check_open(id, number)?;
        let choices = state.choices();
        let most = choices.iter().map(|choice| choice.voters.len()).max().filter(|most| *most > 0);
        let winners = choices.iter().filter(|choice| Some(choice.voters.len()) == most);
        let winners = winners.map(|choice| choice.label.clone()).collect();
        state.result = Some(choices);
        Ok((winners, state.changed()))
    }
}

impl State {
    fn check_joined(&self, id: ConnId) -> Result<(), WsError> {
        match self.people.contains_key(&id) {
            true => Ok(()),
            false => Err(WsError::new("NOT_JOINED", "You must join first")),
        }
    }

    fn check_open(&self, id: ConnId, number: u32) -> Result<(), WsError> {
        self.check_joined(id)?;
        match self.number == number && self.result.is_none() {
            true => Ok(()),
            false => Err(WsError::new("POLL_CLOSED", "The poll is closed")),
        }
    }

    fn changed(&mut self) -> Poll {
        self.version = self.version.wrapping_add(1);
        self.poll()
    }

    fn poll(&self) -> Poll {
        Poll {
            version: self.version,
            number: self.number,
            question: self.question.clone(),
            choices: self.result.clone().unwrap_or_else(|| self.choices()),
            open: self.result.is_none(),
            people: self.people.values().map(|person| person.name.clone()).collect(),
        }
    }

    fn choices(&self) -> Vec<Choice> {
        let voters = |choice| {
            let voters = self.people.values().filter(|person| person.vote == Some(choice));
            voters.map(|person| person.name.clone()).collect()
        };
        let labels = self.labels.iter().enumerate();
        labels.map(|(index, label)| Choice { label: label.clone(), voters: voters(index) }).collect()
    }
}
