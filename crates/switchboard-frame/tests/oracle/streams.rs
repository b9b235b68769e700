//! Streams of frames: valid ones, and what can be done to them.

use proptest::{prelude::*, sample::Index};
use switchboard_frame::{Opcode, Role, encode};

use crate::decoders::Owned;

#[derive(Debug, Clone)]
struct Frame {
    fin: bool,
    opcode: Opcode,
    payload: Vec<u8>,
    mask: Option<[u8; 4]>,
}

impl Frame {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode::put_frame(&mut bytes, self.fin, self.opcode, &self.payload, self.mask);
        bytes
    }
}

/// What one side sends.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    frames: Vec<Frame>,
    events: Vec<Owned>,
}

impl Stream {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.frames.iter().flat_map(Frame::bytes).collect()
    }

    /// What the receiver must find.
    pub(crate) fn events(&self) -> Vec<Owned> {
        self.events.clone()
    }

    pub(crate) fn mutated(&self, mutations: &[Mutation]) -> Vec<u8> {
        let mut starts = vec![0];
        let mut bytes = Vec::new();
        for frame in &self.frames {
            bytes.extend(frame.bytes());
            starts.push(bytes.len());
        }
        for mutation in mutations {
            mutation.apply(&mut bytes, &starts);
        }
        bytes
    }
}

/// The sizes around which the form of the length changes are as frequent as all others.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 0..12usize, 4 => 12..300usize, 4 => 120..132usize, 1 => 65_530..65_542usize]
}

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![Just("a"), Just("é"), Just("€"), Just("😀"), Just("\u{7ff}"), Just("\u{0}")];
    (size(), proptest::collection::vec(piece, 1..6)).prop_map(|(size, pieces)| {
        let mut text = String::new();
        text.extend(pieces.iter().copied().cycle().scan(0, |len, piece| {
            *len += piece.len();
            (*len <= size).then_some(piece)
        }));
        text
    })
}

fn binary() -> impl Strategy<Value = Vec<u8>> {
    (size(), any::<[u8; 7]>()).prop_map(|(size, bytes)| bytes.iter().copied().cycle().take(size).collect())
}

/// The events of control frames that do not end the connection.
fn control() -> impl Strategy<Value = Owned> {
    (any::<bool>(), prop_oneof![0..20usize, 120..126usize], any::<u8>())
        .prop_map(|(ping, len, byte)| if ping { Owned::Ping(vec![byte; len]) } else { Owned::Pong(vec![byte; len]) })
}

fn close() -> impl Strategy<Value = Owned> {
    // 1014 is left out: tungstenite does not know it.
    let code = prop_oneof![Just(1000u16), 1000..1004u16, 1007..1014u16, 3000..5000u16];
    proptest::option::of((code, "[a-z€]{0,20}")).prop_map(Owned::Close)
}

fn opcode_and_payload(event: &Owned) -> (Opcode, Vec<u8>) {
    match event {
        Owned::Text(text) => (Opcode::Text, text.clone().into_bytes()),
        Owned::Binary(bytes) => (Opcode::Binary, bytes.clone()),
        Owned::Ping(bytes) => (Opcode::Ping, bytes.clone()),
        Owned::Pong(bytes) => (Opcode::Pong, bytes.clone()),
        Owned::Close(None) => (Opcode::Close, Vec::new()),
        Owned::Close(Some((code, reason))) => (Opcode::Close, encode::close_payload(*code, reason)),
    }
}

/// A message in fragments with control frames between: where it is cut, and the control frame
/// before each fragment but the first.
type Fragments = Vec<(Index, Option<Owned>)>;

#[derive(Debug, Clone)]
enum Sent {
    Data { event: Owned, fragments: Fragments },
    Control(Owned),
}

fn sent() -> impl Strategy<Value = Sent> {
    let data = prop_oneof![text().prop_map(Owned::Text), binary().prop_map(Owned::Binary)];
    let fragment = (any::<Index>(), proptest::option::weighted(0.3, control()));
    let fragments = prop_oneof![
        2 => Just(Vec::new()),
        2 => proptest::collection::vec(fragment, 1..6),
    ];
    prop_oneof![
        4 => (data, fragments).prop_map(|(event, fragments)| Sent::Data { event, fragments }),
        1 => control().prop_map(Sent::Control),
    ]
}

/// Some messages, and a close frame in half of the streams.
pub(crate) fn stream(role: Role) -> impl Strategy<Value = Stream> {
    let sent = (proptest::collection::vec(sent(), 0..6), proptest::option::of(close()));
    let keys = proptest::collection::vec(any::<[u8; 4]>(), 4);
    (sent, keys).prop_map(move |((mut sent, close), keys)| {
        sent.extend(close.map(Sent::Control));
        let mut stream = Stream { frames: Vec::new(), events: Vec::new() };
        for sent in sent {
            stream.push(sent);
        }
        if role == Role::Server {
            for (frame, key) in stream.frames.iter_mut().zip(keys.iter().cycle()) {
                frame.mask = Some(*key);
            }
        }
        stream
    })
}

impl Stream {
    fn push(&mut self, sent: Sent) {
        let (event, fragments) = match sent {
            Sent::Control(event) => (event, Vec::new()),
            Sent::Data { event, fragments } => (event, fragments),
        };
        let (mut opcode, payload) = opcode_and_payload(&event);
        let mut cuts: Vec<_> = fragments.iter().map(|(at, _)| at.index(payload.len() + 1)).collect();
        cuts.sort_unstable();
        let mut start = 0;
        for (cut, (_, control)) in cuts.into_iter().zip(fragments) {
            self.frames.push(Frame { fin: false, opcode, payload: payload[start..cut].to_vec(), mask: None });
            (start, opcode) = (cut, Opcode::Continuation);
            if let Some(control) = control {
                let (opcode, payload) = opcode_and_payload(&control);
                self.frames.push(Frame { fin: true, opcode, payload, mask: None });
                self.events.push(control);
            }
        }
        self.frames.push(Frame { fin: true, opcode, payload: payload[start..].to_vec(), mask: None });
        self.events.push(event);
    }
}

/// A change of some bytes, more often of a header than elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct Mutation {
    change: Change,
    frame: Index,
    /// From the frame's start, or anywhere.
    offset: Result<usize, Index>,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Flip(u8),
    Set(u8),
    Insert(u8),
    Remove,
    Truncate,
}

pub(crate) fn mutation() -> impl Strategy<Value = Mutation> {
    let change = prop_oneof![
        4 => (0..8u8).prop_map(Change::Flip),
        2 => any::<u8>().prop_map(Change::Set),
        1 => any::<u8>().prop_map(Change::Insert),
        1 => Just(Change::Remove),
        1 => Just(Change::Truncate),
    ];
    let offset =
        prop_oneof![4 => (0..2usize).prop_map(Ok), 2 => (2..16usize).prop_map(Ok), 2 => any::<Index>().prop_map(Err)];
    (change, any::<Index>(), offset).prop_map(|(change, frame, offset)| Mutation { change, frame, offset })
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>, starts: &[usize]) {
        if bytes.is_empty() {
            return;
        }
        let at = match self.offset {
            Ok(offset) => (self.frame.get(starts) + offset).min(bytes.len() - 1),
            Err(anywhere) => anywhere.index(bytes.len()),
        };
        match self.change {
            Change::Flip(bit) => bytes[at] ^= 1 << bit,
            Change::Set(byte) => bytes[at] = byte,
            Change::Insert(byte) => bytes.insert(at, byte),
            Change::Remove => drop(bytes.remove(at)),
            Change::Truncate => bytes.truncate(at),
        }
    }
}

/// Where a stream is cut into portions.
#[derive(Debug, Clone)]
pub(crate) enum Cuts {
    Everywhere,
    At(Vec<Index>),
}

pub(crate) fn cuts() -> impl Strategy<Value = Cuts> {
    prop_oneof![1 => Just(Cuts::Everywhere), 3 => proptest::collection::vec(any::<Index>(), 0..12).prop_map(Cuts::At)]
}

impl Cuts {
    pub(crate) fn of(&self, len: usize) -> Vec<usize> {
        match self {
            Self::Everywhere => (1..len).collect(),
            Self::At(at) => {
                let mut cuts: Vec<_> = at.iter().map(|at| at.index(len.max(1))).collect();
                cuts.sort_unstable();
                cuts
            }
        }
    }
}
